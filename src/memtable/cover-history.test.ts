import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AFTER_ALL, BEFORE_ALL, cutAfter, cutBefore } from '../kernel/key-cut.ts'
import type { KeyCut } from '../kernel/key-cut.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { isBetween, wholeStretch } from '../kernel/range-tombstone.ts'
import { CountingOrder } from '../../test/counting-order.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { CoverHistory } from './cover-history.ts'

const KEYS = 6000
const TOMBSTONES = 8000
/** A place between two keys and the cuts there are for it: before key n, after key n − 1. */
type RangeOf = (random: SeededRandom, index: number) => readonly [number, number]

const SHAPES: Readonly<Record<string, RangeOf>> = {
  'small ones': (random) => from(random.below(KEYS), 1 + random.below(4)),
  'small ones, now and then a wide one': (random, index) =>
    from(random.below(KEYS), 1 + random.below(index % 100 === 99 ? KEYS / 2 : 4)),
  'all widths': (random) => from(random.below(KEYS), 1 + random.below(1 << random.below(13))),
  'wide ones': (random) => from(random.below(KEYS), 1 + random.below(KEYS)),
  'ascending, a gap after each': (_, index) => from((index * 2) % KEYS, 1),
  'descending, each touches the one before': (_, index) => from(KEYS - 1 - (index % KEYS), 1),
  'each around the one before': (_, index) => from(KEYS / 2 - (index % 3000), 1 + 2 * (index % 3000)),
  'each inside the one before': (_, index) => from(index % 2999, KEYS - 2 * (index % 2999)),
  'one place again and again': (random) => from(3000 + random.below(3), 1 + random.below(2)),
  'all keys between small ones': (random, index) => (index % 50 === 49 ? [0, KEYS] : from(random.below(KEYS), 1)),
}

for (const [shape, rangeOf] of Object.entries(SHAPES)) {
  test(`8,000 tombstones, ${shape}: at every count the newest is found as if there had never been another`, () => {
    const random = new SeededRandom(11)
    const order = new CountingOrder()
    const history = new CoverHistory(order)
    const newest = new Int32Array(KEYS)
    const seen = new Map<number, Int32Array>([[0, newest.slice()]])
    for (let count = 1; count <= TOMBSTONES; count++) {
      const [start, limit] = rangeOf(random, count - 1)
      order.comparisons = 0
      history.add(cutAt(start, random), cutAt(limit, random))
      assert.ok(order.comparisons < 1500, `${order.comparisons} comparisons at once to add number ${count}`)
      newest.fill(count, start, limit)
      if (random.once(150) || count === TOMBSTONES) seen.set(count, newest.slice())
    }
    assert.equal(history.count, TOMBSTONES)
    for (const [count, expected] of seen) {
      let stretches = 0
      let runs = 0
      for (let number = 0; number < KEYS; stretches++) {
        const stretch = wholeStretch()
        const found = ask(history, order, number, count, stretch)
        assert.ok(isBetween(stretch, BYTEWISE, keyOf(number), 0, 3), 'a stretch holds its key')
        const before = number > 0 && isBetween(stretch, BYTEWISE, keyOf(number - 1), 0, 3)
        assert.ok(!before, 'it begins where the one before ends')
        do {
          if (number === 0 || expected[number - 1] !== expected[number]) runs++
          assert.equal(expected[number], found, `key ${number}, ${count} tombstones`)
          number++
        } while (number < KEYS && isBetween(stretch, BYTEWISE, keyOf(number), 0, 3))
      }
      // Nodes stay cut where they once began.
      assert.ok(stretches <= runs * 1.25 + 40, `${stretches} stretches for ${runs} runs, ${count} tombstones`)
      for (let probe = 0; probe < 100; probe++) {
        const number = random.below(KEYS)
        assert.equal(ask(history, order, number, count, undefined), expected[number])
      }
    }
  })
}

test('a history of nothing covers nothing', () => {
  const stretch = wholeStretch()
  assert.equal(new CoverHistory(BYTEWISE).newest(keyOf(1), 0, 3, 0, stretch), 0)
  assert.deepEqual(stretch, wholeStretch())
})

function ask(
  history: CoverHistory,
  order: CountingOrder,
  number: number,
  count: number,
  into: ReturnType<typeof wholeStretch> | undefined,
): number {
  order.comparisons = 0
  const found = history.newest(keyOf(number), 0, 3, count, into)
  assert.ok(order.comparisons < 40, `${order.comparisons} comparisons to find one`)
  return found
}

/** So many keys from one on, and none beyond the last. */
function from(start: number, count: number): readonly [number, number] {
  return [start, Math.min(start + count, KEYS)]
}

function keyOf(number: number): Uint8Array {
  return Uint8Array.of(number >>> 16, number >>> 8, number)
}

/** A cut before key `number`: of those that there are, any. */
function cutAt(number: number, random: SeededRandom): KeyCut {
  if (number === 0 && random.once(2)) return BEFORE_ALL
  if (number === KEYS && random.once(2)) return AFTER_ALL
  return number > 0 && random.once(2) ? cutAfter(keyOf(number - 1)) : cutBefore(keyOf(number))
}
