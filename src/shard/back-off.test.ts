import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { BackOff } from './back-off.ts'

/** How long the next attempt waits, in steps of the first delay. */
async function waited(backOff: BackOff, clock: SimulatedClock, stepMs: number): Promise<number> {
  let over = false
  const attempt = backOff.failed(new Error('full')).then(() => (over = true))
  for (let steps = 1; ; steps++) {
    clock.advance(stepMs)
    await clock.turn()
    if (!over) continue
    await attempt
    return steps
  }
}

test('every attempt that fails waits twice as long as the one before, up to a minute, and success begins anew', async () => {
  const clock = new SimulatedClock()
  const backOff = new BackOff(clock, 100)
  const waits = async (): Promise<readonly number[]> => {
    const found: number[] = []
    for (let attempt = 0; attempt < 12; attempt++) found.push(await waited(backOff, clock, 100))
    return found
  }
  const wanted = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600]
  assert.deepEqual(await waits(), wanted)
  backOff.succeeded()
  assert.deepEqual(await waits(), wanted)
})

test('begun anew, failures count from then on, but not a second time before one has succeeded', async () => {
  const clock = new SimulatedClock()
  const backOff = new BackOff(clock, 100)
  const fail = async (): Promise<void> => {
    for (let attempt = 0; attempt < 4; attempt++) await waited(backOff, clock, 100)
  }
  await fail()
  assert.ok(backOff.failingFor(1000))
  backOff.renew()
  assert.equal(backOff.failingFor(1000), undefined)
  await fail()
  backOff.renew()
  assert.ok(backOff.failingFor(1000))
  backOff.succeeded()
  await fail()
  backOff.renew()
  assert.equal(backOff.failingFor(1000), undefined)
})
