import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SystemClock } from '../src/system-clock.ts'
import { SystemRandom } from '../src/system-random.ts'

test('a timer fires once, no earlier than asked; a cancelled one never', async () => {
  const clock = new SystemClock()
  const start = clock.monotonic()
  let cancelled = 0
  const timer = clock.after(1, () => void cancelled++)
  timer.cancel()
  timer.cancel()
  // The test's own timer keeps the process alive: those of the clock do not.
  const alive = setInterval(() => {}, 1000)
  await new Promise<void>((resolve) => void clock.after(20, resolve))
  clearInterval(alive)
  // Timers and the monotonic clock round differently.
  assert.ok(clock.monotonic() - start >= 19)
  assert.equal(cancelled, 0)
})

test('a delay beyond 2^31 milliseconds does not fire at once', async () => {
  const clock = new SystemClock()
  let fired = false
  const timer = clock.after(2 ** 32, () => void (fired = true))
  await clock.turn()
  await new Promise((resolve) => setTimeout(resolve, 10))
  timer.cancel()
  assert.ok(!fired)
})

test('a turn lets an earlier immediate run, not only promises', async () => {
  const order: string[] = []
  setImmediate(() => order.push('immediate'))
  await Promise.resolve()
  order.push('promise')
  await new SystemClock().turn()
  assert.deepEqual(order, ['promise', 'immediate'])
})

test('random numbers are 32-bit integers that use every bit', () => {
  const random = new SystemRandom()
  let seen = 0
  for (let index = 0; index < 1000; index++) {
    const value = random.u32()
    assert.ok(Number.isInteger(value) && value >= 0 && value < 2 ** 32)
    seen |= value
  }
  assert.equal(seen >>> 0, 2 ** 32 - 1)
})
