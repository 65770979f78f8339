import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runParts } from '../soak/part-processes.ts'

const SAME_ANSWERS = new URL('./same-answers.js', import.meta.url)

test('5,000 commands have the same answers under every composition, with faults on', async (context) => {
  const report = await runParts(SAME_ANSWERS, [
    { seed: 1, lists: 80 },
    { seed: 2, lists: 80 },
  ])
  context.diagnostic(JSON.stringify(report))
  assert.ok(Number(report['commands']) >= 5000 && Number(report['retries']) > 2000)
})
