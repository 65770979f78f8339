import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { Silence } from './silence.ts'

test('silence is over when it has lasted from when was asked, and begins anew with an answer', () => {
  const clock = new SimulatedClock()
  clock.advance(10_000)
  let over = 0
  const silence = new Silence(clock, 1_000, clock.monotonic() - 200, () => over++)
  clock.advance(799)
  assert.deepEqual([silence.isOver, over], [false, 0])
  silence.broken()
  clock.advance(999)
  assert.deepEqual([silence.isOver, over], [false, 0])
  clock.advance(1)
  assert.deepEqual([silence.isOver, over], [true, 1])
  silence.broken()
  silence.end()
  clock.advance(5_000)
  assert.equal(over, 1)
})

test('who stood still before has half of the time left', () => {
  const clock = new SimulatedClock()
  clock.advance(100_000)
  let over = 0
  const silence = new Silence(clock, 1_000, 0, () => over++)
  clock.advance(499)
  assert.deepEqual([silence.isOver, over], [false, 0])
  clock.advance(1)
  assert.deepEqual([silence.isOver, over], [true, 1])
})
