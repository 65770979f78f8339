import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSameAnswers } from './same-answers.ts'

test('hundreds of commands have the same answers under 25 settings each, with faults on', async (context) => {
  const report = await checkSameAnswers(15)
  context.diagnostic(JSON.stringify(report))
  assert.ok(report.commands > 300 && report.retries > 100)
})
