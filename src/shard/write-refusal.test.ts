import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { BackOff } from './back-off.ts'
import { inVain } from './write-refusal.ts'
import type { HoldReason } from './write-refusal.ts'

test('writes wait in vain for what has failed for long, and not once it succeeds, and for nothing else', () => {
  const clock = new SimulatedClock()
  const [flush, compaction, rebuild] = [new BackOff(clock, 100), new BackOff(clock, 100), new BackOff(clock, 100)]
  const refusal = (...holds: HoldReason[]): string | undefined =>
    inVain(new Set(holds), { flush, compaction, rebuild }, 1000)?.message
  void flush.failed(new Error('first'))
  void flush.failed(new Error('second'))
  clock.advance(1000)
  assert.equal(refusal('flush'), undefined, 'twice may be chance')
  void flush.failed(new Error('third'))
  assert.match(String(refusal('rebuild', 'flush')), /written to files.*third/)
  assert.equal(refusal(), undefined)
  assert.equal(refusal('compaction', 'journal', 'rebuild', 'hand-over'), undefined)
  flush.succeeded()
  assert.equal(refusal('flush'), undefined)
  for (let times = 0; times < 3; times++) void flush.failed(new Error('again'))
  clock.advance(999)
  assert.equal(refusal('flush'), undefined, 'not for long')
  for (let times = 0; times < 3; times++) void compaction.failed(new Error('damaged'))
  clock.advance(1000)
  assert.match(String(refusal('compaction')), /compacted.*damaged/)
  for (let times = 0; times < 3; times++) void rebuild.failed(new Error('no login'))
  clock.advance(1000)
  assert.match(String(refusal('rebuild')), /the journal.*cannot be read.*no login/)
})
