import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killAtSteps } from './job-world.ts'

test('a process killed at any step of a compaction leaves what was there before it, or after it', async (context) => {
  const steps = await killAtSteps(1)
  context.diagnostic(`${steps} steps`)
  assert.ok(steps > 100)
})
