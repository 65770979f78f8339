import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killLoop } from './kill/kill-loop.ts'

test('200 kills lose nothing that was acknowledged', async (context) => {
  const seed = Date.now() % 1_000_000
  context.diagnostic(`seed ${seed}`)
  const { acknowledged, killedWhileOpening } = await killLoop(200, seed)
  context.diagnostic(`${acknowledged} batches acknowledged, ${killedWhileOpening} kills while opening`)
  assert.ok(acknowledged > 1000 && killedWhileOpening > 0)
})
