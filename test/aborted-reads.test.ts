/** Reads whose signal has been aborted. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../src/kernel/errors.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

// getMany answered where all it was asked for was in memory.
test('a read whose signal was aborted before the call rejects with ABORTED, although it would not have to wait', async () => {
  const simulation = await Simulation.start(1, TINY_SETTINGS)
  const { db } = simulation
  const key = Buffer.from('key')
  await db.put(key, key)
  const reason = new Error('too late')
  const signal = AbortSignal.abort(reason)
  for (const read of [
    () => db.get(key, { signal }),
    () => db.has(key, { signal }),
    () => db.getMany([key], { signal }),
    () => db.getMany([], { signal }),
    () => db.getMany([key], { signal, fresh: true }),
    () => db.scan({ signal }).next(),
  ]) {
    await assert.rejects(read, (error) => isCode(error, 'ABORTED') && error.cause === reason)
  }
  await simulation.stop()
})
