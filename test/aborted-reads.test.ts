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

test('a loop over a scan ends with the entry after which its signal is aborted, though more had been read', async () => {
  const simulation = await Simulation.start(1, TINY_SETTINGS)
  const { db } = simulation
  for (let index = 0; index < 10; index++) await db.put(Buffer.of(index), Buffer.of(index))
  const controller = new AbortController()
  const seen: number[] = []
  const loop = async (): Promise<void> => {
    for await (const { key } of db.scan({ signal: controller.signal })) {
      seen.push(key[0] as number)
      if (seen.length === 3) controller.abort()
    }
  }
  await assert.rejects(loop(), (error) => isCode(error, 'ABORTED'))
  assert.deepEqual(seen, [0, 1, 2])
  await simulation.stop()
})
