import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSameAnswers } from './same-answers.ts'

test('2,000 commands have the same answers under 25 settings each, with faults on', async (context) => {
  const report = await checkSameAnswers(50)
  context.diagnostic(JSON.stringify(report))
  assert.ok(report.commands > 1500 && report.retries > 500)
})
