import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeededRandom } from '../src/testing/seeded-random.ts'
import { stopOwner } from './stopped/stopped-owner.ts'

const SEED = 5
const ROUNDS = 12

test('an owner that sleeps through a take-over is refused everything, and neither loses what was acknowledged', async (context) => {
  const random = new SeededRandom(SEED)
  let [acknowledged, refused] = [0, 0]
  for (let round = 0; round < ROUNDS; round++) {
    const report = await stopOwner(random.below(300), round % 3 === 0 ? 'threads' : 'inline')
    acknowledged += report.acknowledged
    refused += report.refused
  }
  context.diagnostic(
    `seed ${SEED}: ${ROUNDS} owners stopped, ${acknowledged} batches acknowledged, ${refused} calls refused`,
  )
  assert.ok(acknowledged > ROUNDS && refused > ROUNDS)
})
