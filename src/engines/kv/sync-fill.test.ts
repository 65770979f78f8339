import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import { SyncFill } from './sync-fill.ts'

test('waiting for a slow disk takes at most a twentieth of the time, and quick reads are never kept waiting', () => {
  const clock = new SimulatedClock()
  const fill = new SyncFill(clock, { syncRead: true, readNow: false })
  let tookMs = 0.01
  const lacking = { fillSync: (): void => clock.advance(tookMs) }
  for (let count = 0; count < 1000; count++) assert.equal(fill.try(lacking), true)
  tookMs = 8
  const startMs = clock.monotonic()
  let waitedMs = 0
  while (clock.monotonic() - startMs < 10_000) {
    if (fill.try(lacking)) waitedMs += tookMs
    else clock.advance(1)
  }
  assert(waitedMs > 0 && waitedMs <= (10_000 + 8) / 20, `${waitedMs} ms`)
  tookMs = 0.01
  clock.advance(200)
  for (let count = 0; count < 1000; count++) assert.equal(fill.try(lacking), true)
})

test('a store that fails is asked seldom, and its failure is left to the asynchronous attempt', () => {
  const clock = new SimulatedClock()
  const fill = new SyncFill(clock, { syncRead: true, readNow: false })
  let calls = 0
  const lacking = {
    fillSync: (): void => {
      calls++
      throw new Error('failed')
    },
  }
  assert.equal(fill.try(lacking), true)
  for (let ms = 0; ms < 100; ms++) {
    assert.equal(fill.try(lacking), false)
    clock.advance(1)
  }
  assert.equal(fill.try(lacking), true)
  assert.equal(calls, 2)
})

test('a store that cannot read synchronously, or can tell what is in memory, is never asked', () => {
  for (const supports of [
    { syncRead: false, readNow: false },
    { syncRead: true, readNow: true },
  ]) {
    const fill = new SyncFill(new SimulatedClock(), supports)
    assert.equal(fill.try({ fillSync: () => assert.fail('asked') }), false)
  }
})
