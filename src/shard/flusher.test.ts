import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { Deferred } from './deferred.ts'
import { Flusher } from './flusher.ts'
import type { FrozenTable } from './table-stack.ts'

test('a flush that is under way is not taken for the one that failed before', async () => {
  const [clock, end] = [new SimulatedClock(), new Deferred<readonly never[]>()]
  const slot = {} as FrozenTable<unknown>
  let attempts = 0
  const host = {
    nextFrozen: () => slot,
    untilVisible: () => Promise.resolve(),
    writeFiles: () => (++attempts === 1 ? Promise.reject(new Error('once')) : end.promise),
    commitFlush: () => Promise.resolve(),
    stalled: () => undefined,
    failed: () => undefined,
  }
  const flusher = new Flusher(host, clock, 1000)
  flusher.kick()
  await clock.turn()
  assert.match(String(flusher.stalledBy), /once/)
  clock.advance(1000)
  await clock.turn()
  assert.equal(attempts, 2)
  assert.equal(flusher.stalledBy, undefined)
  const stopped = flusher.stop()
  end.resolve([])
  await stopped
})
