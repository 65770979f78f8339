import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareCuts, cutAfter, cutBefore, BEFORE_ALL } from '../kernel/key-cut.ts'
import type { KeyCut } from '../kernel/key-cut.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { decodeTombstones, wholeStretch } from '../kernel/range-tombstone.ts'
import { CountingOrder } from '../../test/counting-order.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { TombstoneList } from './tombstone-list.ts'
import { TombstoneLog } from './tombstone-log.ts'

const numbered = (number: number): Uint8Array => Uint8Array.of(number >>> 16, number >>> 8, number)

test('whatever overlaps whatever, the log finds what a look at every tombstone finds, at every seqno', () => {
  const random = new SeededRandom(7)
  for (let round = 0; round < 30; round++) {
    // Half of them with few that may wait, so that lookups see some of them in every place.
    const log = random.once(2) ? new TombstoneLog(BYTEWISE) : new TombstoneLog(BYTEWISE, 100, random.below(3))
    const list = new TombstoneList(BYTEWISE)
    const span = 1 + random.below(200)
    const count = random.below(150)
    for (let index = 0; index < count; index++) {
      const cut = (): KeyCut => (random.once(2) ? cutBefore : cutAfter)(numbered(random.below(200)))
      const a = cut()
      const b = random.once(3) ? cut() : cutBefore(numbered(random.below(span)))
      const comparison = compareCuts(BYTEWISE, a, b)
      if (comparison === 0) continue
      log.add(comparison < 0 ? a : b, comparison < 0 ? b : a, index * 2 + 1)
      list.add(comparison < 0 ? a : b, comparison < 0 ? b : a, index * 2 + 1)
    }
    for (let probe = 0; probe < 200; probe++) {
      const key = numbered(random.below(201))
      const seqno = random.below(count * 2 + 2)
      const expected = wholeStretch()
      list.stretch(key, 0, 3, seqno, expected)
      assert.equal(log.newest(key, 0, 3, seqno), expected.seqno)
      const found = wholeStretch()
      log.stretch(key, 0, 3, seqno, found)
      assert.equal(found.seqno, expected.seqno)
      // The list cuts at every bound, so the log's stretch is never shorter, and what it says must hold at both ends.
      assert.ok(compareCuts(BYTEWISE, found.lower, expected.lower) <= 0)
      assert.ok(compareCuts(BYTEWISE, found.upper, expected.upper) >= 0)
      for (let other = 0; other < 200; other++) {
        const neighbour = numbered(other)
        const inside =
          compareCuts(BYTEWISE, found.lower, cutBefore(neighbour)) <= 0 &&
          compareCuts(BYTEWISE, cutAfter(neighbour), found.upper) <= 0
        if (inside) assert.equal(list.newest(neighbour, 0, 3, seqno), expected.seqno)
      }
    }
  }
})

const SHAPES: Readonly<Record<string, (index: number) => readonly [KeyCut, KeyCut]>> = {
  'apart from each other': (index) => [cutBefore(numbered(index * 4)), cutBefore(numbered(index * 4 + 2))],
  'each over all before it': (index) => [BEFORE_ALL, cutBefore(numbered(index + 1))],
  'each inside the one before': (index) => [cutBefore(numbered(index)), cutBefore(numbered(40_000 - index))],
  'each around the one before': (index) => [cutBefore(numbered(20_000 - index)), cutBefore(numbered(20_001 + index))],
}

for (const [shape, rangeOf] of Object.entries(SHAPES)) {
  test(`with 10,000 tombstones, ${shape}, adding and asking takes some hundred comparisons`, () => {
    const order = new CountingOrder()
    const log = new TombstoneLog(order)
    for (let index = 0; index < 10_000; index++) log.add(...rangeOf(index), index + 1)
    for (let lookup = 0; lookup < 40; lookup++) log.newest(numbered(lookup), 0, 3, 20_000)
    assert.ok(order.comparisons < 10_000 * 50, `${order.comparisons} comparisons to add them, until none waits`)
    const random = new SeededRandom(1)
    for (let probe = 0; probe < 500; probe++) {
      order.comparisons = 0
      const key = numbered(random.below(50_000))
      const seqno = random.once(2) ? 20_000 : random.below(10_001)
      const newest = log.newest(key, 0, 3, seqno)
      assert.ok(order.comparisons < 300, `${order.comparisons} comparisons to find one`)
      if (newest === 0) continue
      const [lower, upper] = rangeOf(newest - 1)
      assert.ok(newest <= seqno)
      assert.ok(compareCuts(BYTEWISE, lower, cutBefore(key)) <= 0 && compareCuts(BYTEWISE, cutAfter(key), upper) <= 0)
    }
  })
}

test('tombstones that nobody asks for are not compared, and no lookup takes more than some of those that wait', () => {
  const order = new CountingOrder()
  const log = new TombstoneLog(order, 4000)
  const add = (index: number): void =>
    log.add(cutBefore(numbered(index * 4)), cutBefore(numbered(index * 4 + 2)), index + 1)
  for (let index = 0; index < 4000; index++) add(index)
  assert.equal(order.comparisons, 0)
  for (let index = 4000; index < 8000; index++) add(index)
  assert.ok(order.comparisons > 0, 'from then on each takes the place of another')
  assert.ok(order.comparisons < 4000 * 40, `${order.comparisons} comparisons`)
  for (let lookup = 0; lookup < 20; lookup++) {
    order.comparisons = 0
    assert.equal(log.newest(numbered(lookup), 0, 3, 10_000), lookup % 4 < 2 ? (lookup >> 2) + 1 : 0)
    assert.ok(order.comparisons < (lookup < 16 ? 256 * 40 + 2 * 4000 : 100), `${order.comparisons} by lookup ${lookup}`)
  }
})

test('what is encoded for another thread says the same', () => {
  const log = new TombstoneLog(BYTEWISE)
  assert.equal(log.encoded().length, 0)
  for (let index = 0; index < 100; index++)
    log.add(...(SHAPES['each over all before it'] ?? assert.fail())(index), 2 ** 40 + index)
  assert.deepEqual(decodeTombstones(structuredClone(log.encoded())), log.list())
})
