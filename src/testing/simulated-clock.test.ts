import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedClock } from './simulated-clock.ts'

test('timers fire in order of time, then of registration, each at its own moment, those of timers included', () => {
  const clock = new SimulatedClock(1000)
  const fired: string[] = []
  const note = (name: string) => () => void fired.push(`${name}@${clock.monotonic()}/${clock.now()}`)
  clock.after(20, note('b'))
  clock.after(10, () => {
    note('a')()
    clock.after(10, note('d'))
    clock.after(100, note('late'))
  })
  clock.after(20, note('c'))
  clock.after(15, note('cancelled')).cancel()
  clock.advance(9)
  assert.deepEqual(fired, [])
  clock.advance(41)
  assert.deepEqual(fired, ['a@10/1010', 'b@20/1020', 'c@20/1020', 'd@20/1020'])
  assert.deepEqual([clock.monotonic(), clock.now(), clock.pending], [50, 1050, 1])
})

test('a jump of the wall clock moves no timer and not the monotonic clock', () => {
  const clock = new SimulatedClock(1000)
  let fired = 0
  clock.after(10, () => void fired++)
  clock.jump(1_000_000)
  clock.jump(-5_000_000)
  assert.deepEqual([clock.now(), clock.monotonic(), fired], [-3_999_000, 0, 0])
})

test('the same seed gives the same numbers, another seed others, and they are spread evenly', () => {
  const draw = (seed: number): number[] => {
    const random = new SeededRandom(seed)
    return Array.from({ length: 10_000 }, () => random.u32())
  }
  assert.deepEqual(draw(7), draw(7))
  assert.notDeepEqual(draw(7), draw(8))
  for (const seed of [0, 1, 2 ** 31, 2 ** 32 - 1]) {
    const buckets = Array.from({ length: 16 }, () => 0)
    for (const value of draw(seed)) buckets[value >>> 28] = (buckets[value >>> 28] as number) + 1
    // 625 expected, standard deviation 24: six of them.
    for (const count of buckets) assert.ok(Math.abs(count - 625) < 145, `${count} of 625`)
  }
})
