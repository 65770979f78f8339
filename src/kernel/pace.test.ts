import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { Pace } from './pace.ts'

test('a turn is asked for after 3 ms without one, and not again after it', async () => {
  const clock = new SimulatedClock()
  const pace = new Pace(clock)
  assert.equal(pace.take(), undefined)
  clock.advance(2)
  assert.equal(pace.take(), undefined)
  clock.advance(1)
  const turn = pace.take()
  assert.ok(turn !== undefined)
  await turn
  assert.equal(pace.take(), undefined)
})

test('a turn that came by itself counts, however long ago the last pull was', async () => {
  const clock = new SimulatedClock()
  const pace = new Pace(clock)
  assert.equal(pace.take(), undefined)
  await clock.turn()
  await clock.turn()
  clock.advance(1000)
  assert.equal(pace.take(), undefined)
})
