/** A shard with more tables than it may hold open. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const KEYS = 600
const key = (number: number): Buffer => Buffer.from(`key ${String(number).padStart(4, '0')}`)

// A get that had found its table open, and waited for a block of it, rejected with CLOSED where another one opened a table
// meanwhile: only who opens a table held it.
test('what reads an open table keeps it open, whatever others need', async () => {
  const settings = { ...TINY_SETTINGS, openFilesMax: 8, cacheBytes: 0, policy: 'fifo' } as const
  let late: Promise<void> | undefined
  const simulation = await Simulation.start(1, settings, {
    atHand: () => false,
    delay: () => {
      const delay = late ?? Promise.resolve()
      late = undefined
      return delay
    },
  })
  const { db } = simulation
  for (let number = 0; number < KEYS; number++) await db.put(key(number), key(number))
  await db.flush()
  assert.ok(db.statistics().files > 16, `${db.statistics().files} files are more than may be open`)
  const get = async (number: number): Promise<void> => {
    assert.deepEqual(Buffer.from((await db.get(key(number))) ?? []), key(number))
  }
  const verify = async (): Promise<void> => {
    for await (const { damage } of db.verify()) assert.equal(damage, undefined)
  }
  for (const read of [() => get(KEYS - 1), verify]) {
    // The newest table is open, and the next read of it comes late.
    await get(KEYS - 1)
    let arrive = (): void => undefined
    late = new Promise((resolve) => (arrive = resolve))
    const reading = assert.doesNotReject(read)
    while (late !== undefined) await simulation.clock.turn()
    for (let number = 0; number < KEYS - 60; number += 10) await get(number)
    arrive()
    await reading
  }
  await simulation.stop()
})
