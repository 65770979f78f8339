import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killLoop } from './kill/kill-loop.ts'

test('what a killed process had acknowledged is there, in order and whole, and it leaves no lock', async (context) => {
  const seed = Date.now() % 1_000_000
  context.diagnostic(`seed ${seed}`)
  const { acknowledged } = await killLoop(16, seed)
  assert.ok(acknowledged > 100, `only ${acknowledged} batches were acknowledged: the test does not test`)
})
