/** Histories of concurrent calls on one shard, through flushes, kills and power cuts, are linearizable. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLinearizability } from '../../src/testing/linearizability.ts'
import { REGISTERS } from '../../src/testing/register-model.ts'
import type { RegisterCall } from '../../src/testing/register-model.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { Simulation, TINY_SETTINGS } from '../simulation.ts'
import { RecordedShard } from './recorded-shard.ts'

const SEEDS = 20
const ROUNDS = 6
const CALLS = 30

function chooseCall(random: SeededRandom, number: number): RegisterCall {
  const key = `key ${random.below(5)}`
  if (random.below(10) < 4) return { type: 'get', key }
  if (random.once(6)) return { type: 'delete', key }
  return { type: 'put', key, value: `${number} `.repeat(1 + random.below(20)) }
}

/** Calls overlap: a new one begins before earlier ones have settled; now and then everything ends at once. */
async function record(seed: number): Promise<RecordedShard> {
  const random = new SeededRandom(seed)
  const simulation = await Simulation.start(seed, TINY_SETTINGS)
  const recorded = new RecordedShard()
  let number = 0
  for (let round = 0; round < ROUNDS; round++) {
    const waiting: Promise<void>[] = []
    for (let index = 0; index < CALLS; index++) {
      waiting.push(recorded.call(simulation.db, chooseCall(random, ++number)))
      if (random.once(3)) await Promise.race(waiting)
      if (random.once(8)) await new Promise((resolve) => setImmediate(resolve))
    }
    if (random.once(2)) {
      await Promise.all(waiting)
      // Only now: reads see what is written, and a power cut takes back what was not synced yet.
      if (random.once(2)) await simulation.reopen()
      else await simulation.powerCut()
      continue
    }
    // At once: nothing of the old process goes on after its device has died.
    recorded.kill()
    await simulation.kill()
  }
  for (let key = 0; key < 5; key++) await recorded.call(simulation.db, { type: 'get', key: `key ${key}` })
  await simulation.stop()
  return recorded
}

test('calls on a shard take effect one after the other, whatever dies between', async (context) => {
  const first = Date.now() % 1_000_000
  context.diagnostic(`seeds from ${first}`)
  let unknown = 0
  for (let seed = first; seed < first + SEEDS; seed++) {
    const { history } = await record(seed)
    unknown += history.filter(({ end }) => end === Infinity).length
    const verdict = checkLinearizability(history, REGISTERS)
    assert.ok(verdict.linearizable, `seed ${seed}: ${JSON.stringify(verdict)}`)
    assert.ok(history.length > CALLS)
  }
  assert.ok(unknown > SEEDS, 'hardly any call was cut off: the test does not test')
})

test('a history in which a write was lost is not accepted', async () => {
  const { history } = await record(5)
  const values = history.flatMap(({ input, output }) => (input.type === 'get' && output !== null ? [output] : []))
  const value = values.at(-1)
  const without = history.filter(({ input }) => input.type !== 'put' || input.value !== value)
  assert.ok(without.length < history.length)
  assert.ok(!checkLinearizability(without, REGISTERS).linearizable)
})
