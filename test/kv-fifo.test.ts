/** The engine under the policy that forgets. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KV_DEFAULTS } from '../src/engines/kv/settings.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const KEY_COUNT = 40
const ROUNDS = 60
const BYTES_MAX = 30_000

test('fifo keeps the newest within its size, and nothing older comes back in place of what it forgot', async () => {
  const simulation = await Simulation.start(1, {
    ...TINY_SETTINGS,
    policy: 'fifo',
    compression: 'none',
    fifoBytesMax: BYTES_MAX,
  })
  try {
    const { random } = simulation
    const latest = new Map<number, string | undefined>()
    for (let round = 0; round < ROUNDS; round++) {
      for (let count = 0; count < 5; count++) {
        const key = random.below(KEY_COUNT)
        const value = random.once(4) ? undefined : `${round}`.padStart(400, '.')
        latest.set(key, value)
        await (value === undefined
          ? simulation.db.delete(keyOf(key))
          : simulation.db.put(keyOf(key), Buffer.from(value)))
      }
      await simulation.db.flush()
      await simulation.db.settle()
      if (round % 20 === 19) await simulation.reopen()
      await check(simulation, latest, round)
    }
    assert.ok(simulation.db.statistics().fileBytes <= BYTES_MAX)
    const kept = [...latest.values()].filter((value) => value !== undefined).length
    const present = await presentKeys(simulation)
    assert.ok(present > 0 && present < kept, `${present} of ${kept} keys are there`)
  } finally {
    await simulation.stop()
  }
})

test('fifo never holds writes back for the files in level 0', async () => {
  const simulation = await Simulation.start(1, { ...TINY_SETTINGS, policy: 'fifo' })
  try {
    for (let round = 0; round < 2 * KV_DEFAULTS.level0FilesStop; round++) {
      await simulation.db.put(keyOf(round), Buffer.alloc(10))
      await simulation.db.flush()
    }
    const { levels, heldMs } = simulation.db.statistics()
    assert.deepEqual([levels[0]?.files, heldMs], [2 * KV_DEFAULTS.level0FilesStop, 0])
  } finally {
    await simulation.stop()
  }
})

async function check(
  simulation: Simulation,
  latest: ReadonlyMap<number, string | undefined>,
  round: number,
): Promise<void> {
  for (const [key, value] of latest) {
    const found = await simulation.db.get(keyOf(key))
    if (found === undefined) continue
    assert.equal(Buffer.from(found).toString(), value, `key ${key} is older than it should be in round ${round}`)
  }
}

async function presentKeys(simulation: Simulation): Promise<number> {
  let count = 0
  for await (const entries of simulation.db.scan().chunks()) count += entries.length
  return count
}

function keyOf(key: number): Uint8Array {
  return Buffer.from(`key-${String(key).padStart(3, '0')}`)
}
