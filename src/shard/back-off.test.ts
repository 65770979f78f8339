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
