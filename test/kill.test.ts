import assert from 'node:assert/strict'
import { test } from 'node:test'
import { killLoop } from './kill/kill-loop.ts'

const SEED = 4

test('what a killed process had acknowledged is there, in order and whole, and it leaves no lock', async (context) => {
  const { acknowledged } = await killLoop(12, SEED)
  context.diagnostic(`seed ${SEED}: batch ${acknowledged} was the last acknowledged`)
  assert.ok(acknowledged > 2, `only ${acknowledged} batches were acknowledged: the test does not test`)
})

test('what was acknowledged as synced is there after a power cut, all before it too, and batches are whole', async (context) => {
  const { acknowledged } = await killLoop(6, SEED, 'power cut')
  context.diagnostic(`seed ${SEED}: batch ${acknowledged} was the last acknowledged`)
  assert.ok(acknowledged > 0, `only ${acknowledged} batches were acknowledged: the test does not test`)
})
