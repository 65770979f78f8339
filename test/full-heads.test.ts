/** A disk that has no space for some files only: for want of inodes, by a quota, or where heads are elsewhere. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KIB } from '../src/kernel/limits.ts'
import { VarveError } from '../src/kernel/errors.ts'
import { failure } from '../src/testing/simulated-failure.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const STALL_MS = 5000

// The reserve could be held again each second, which was taken for space: every flush began anew, and failed, for ever.
test('where flushes have no space though the reserve has, who waits for them is told so', async () => {
  const settings = { ...TINY_SETTINGS, stallMs: STALL_MS }
  const simulation = new Simulation(3, settings, { capacityBytes: 4096 * KIB })
  simulation.reserveBytes = 128 * KIB
  await simulation.open()
  const { db, clock } = simulation
  for (let index = 0; index < 20; index++) await db.put(Buffer.from(`key ${index}`), Buffer.from('value'))
  await db.flush()
  let full = true
  simulation.beforeOperation = ({ operation, path }) => {
    if (full && operation === 'write' && path.includes('heads/')) throw failure('NO_SPACE', operation, path)
  }

  let told: unknown
  let written = 0
  for (let index = 0; told === undefined && index < 2000; index++) {
    void db.delete(Buffer.from(`key ${index}`)).then(
      () => written++,
      (error: unknown) => (told ??= error),
    )
    clock.advance(50)
    await clock.turn()
  }
  assert.ok(told instanceof VarveError, `nobody was told anything; ${written} were written`)
  assert.deepEqual([told.code, told.details['waitsFor']], ['BUSY', 'flush'])

  full = false
  let flushed = false
  for (let turns = 0; !flushed && turns < 5000; turns++) {
    // It rejects for as long as the next attempt is waited for.
    db.flush().then(
      () => (flushed = true),
      () => undefined,
    )
    clock.advance(50)
    await clock.turn()
  }
  assert.ok(flushed, 'with space it goes on')
  await db.put(Buffer.from('again'), Buffer.from('taken'))
  await simulation.stop()
})
