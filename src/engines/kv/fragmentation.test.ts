import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareCuts, cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import { isBetween } from '../../kernel/range-tombstone.ts'
import type { RangeTombstone } from '../../kernel/range-tombstone.ts'
import { coversAll, filterFragments, fragmentTombstones } from './fragmentation.ts'
import { Stripes } from './stripes.ts'

const KEYS = Array.from({ length: 24 }, (_, index) => Uint8Array.of(index))
const key = (number: number): Uint8Array => KEYS[number] as Uint8Array
const keyNumbers = fc.nat(KEYS.length - 1)
const cuts = fc.tuple(keyNumbers, fc.boolean()).map(([number, after]) => (after ? cutAfter : cutBefore)(key(number)))
const tombstones = fc.array(fc.tuple(cuts, cuts), { maxLength: 25 }).map((pairs) =>
  pairs
    .map(([a, b], index): RangeTombstone => {
      const inOrder = compareCuts(BYTEWISE, a, b) < 0
      return { lower: inOrder ? a : b, upper: inOrder ? b : a, seqno: (index + 1) * 3 }
    })
    .filter(({ lower, upper }) => compareCuts(BYTEWISE, lower, upper) < 0),
)
const pins = fc.uniqueArray(fc.integer({ min: 1, max: 80 }), { maxLength: 4 }).map((each) => each.sort((a, b) => a - b))

const covers = (tombstone: Pick<RangeTombstone, 'lower' | 'upper'>, at: Uint8Array): boolean =>
  isBetween(tombstone, BYTEWISE, at, 0, at.length)

test('every reader finds over every key the newest tombstone it may see, in fragments as in the tombstones', () => {
  fc.assert(
    fc.property(tombstones, pins, fc.infiniteStream(fc.nat()), (given, pinned, chances) => {
      const shuffled = given
        .map((tombstone) => ({ tombstone, rank: chances.next().value }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ tombstone }) => tombstone)
      const fragments = fragmentTombstones(shuffled, BYTEWISE, new Stripes(pinned))
      for (const seqno of [...pinned, Number.MAX_SAFE_INTEGER]) {
        for (const at of KEYS) {
          const visible = given.filter((tombstone) => tombstone.seqno <= seqno && covers(tombstone, at))
          const newest = Math.max(0, ...visible.map((tombstone) => tombstone.seqno))
          const fragment = fragments.find((each) => covers(each, at))
          assert.equal(fragment?.seqnos.find((each) => each <= seqno) ?? 0, newest)
        }
      }
    }),
  )
})

test('fragments ascend, do not overlap, have one seqno for each stripe at most, and neighbours differ', () => {
  fc.assert(
    fc.property(tombstones, pins, (given, pinned) => {
      const stripes = new Stripes(pinned)
      const fragments = fragmentTombstones(given, BYTEWISE, stripes)
      for (const [index, { lower, upper, seqnos }] of fragments.entries()) {
        assert.ok(compareCuts(BYTEWISE, lower, upper) < 0)
        assert.ok(seqnos.length > 0)
        assert.deepEqual(
          seqnos,
          [...seqnos].sort((a, b) => b - a),
        )
        assert.equal(new Set(seqnos.map((seqno) => stripes.of(seqno))).size, seqnos.length)
        const before = fragments[index - 1]
        if (before === undefined) continue
        const comparison = compareCuts(BYTEWISE, before.upper, lower)
        assert.ok(comparison <= 0)
        if (comparison === 0) assert.notDeepEqual(before.seqnos, seqnos)
      }
    }),
  )
})

test('10,000 tombstones, each over all before it, are one fragment', () => {
  const nested = Array.from({ length: 10_000 }, (_, index): RangeTombstone => {
    const upper: KeyCut = cutBefore(Uint8Array.of(1, index >>> 8, index))
    return { lower: cutBefore(key(0)), upper, seqno: index + 1 }
  })
  const fragments = fragmentTombstones(nested, BYTEWISE, new Stripes([]))
  assert.deepEqual(
    fragments.map(({ seqnos }) => seqnos),
    [[10_000]],
  )
  const inward = nested.map(({ upper, lower }, index): RangeTombstone => ({ lower, upper, seqno: 10_000 - index }))
  assert.equal(fragmentTombstones(inward, BYTEWISE, new Stripes([5_000])).length, 10_000)
})

test('a table is covered as a whole exactly if every reader who could see any of it sees all of it deleted', () => {
  fc.assert(
    fc.property(
      tombstones,
      pins,
      keyNumbers,
      fc.nat(6),
      fc.nat(60),
      fc.nat(20),
      (given, pinned, from, span, oldest, age) => {
        const to = Math.min(from + span, KEYS.length - 1)
        const seqnos = [oldest + 1, oldest + 1 + age] as const
        const stripes = new Stripes(pinned)
        const bounds = { lower: cutBefore(key(from)), upper: cutAfter(key(to)) }
        const covered = coversAll(fragmentTombstones(given, BYTEWISE, stripes), BYTEWISE, stripes, bounds, ...seqnos)
        const stripe = stripes.of(seqnos[0])
        const hidden = KEYS.slice(from, to + 1).every((at) =>
          given.some((each) => each.seqno >= seqnos[1] && stripes.of(each.seqno) === stripe && covers(each, at)),
        )
        // Between two neighbouring keys there may be a gap that holds no key here: then it may say no.
        if (covered) assert.ok(hidden)
        if (given.some((each) => covers(each, key(from)) && covers(each, key(to)) && isNewEnough(each.seqno)))
          assert.ok(covered)

        function isNewEnough(seqno: number): boolean {
          return seqno >= seqnos[1] && stripes.of(seqno) === stripe
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('filtering leaves fragments that have something left', () => {
  const fragments = [
    { lower: cutBefore(key(1)), upper: cutBefore(key(2)), seqnos: [9, 4] },
    { lower: cutBefore(key(2)), upper: cutBefore(key(3)), seqnos: [3] },
  ]
  assert.deepEqual(
    filterFragments(fragments, (seqno) => seqno > 3),
    [{ ...fragments[0], seqnos: [9, 4] }],
  )
  assert.deepEqual(
    filterFragments(fragments, (seqno) => seqno > 8),
    [{ ...fragments[0], seqnos: [9] }],
  )
  assert.deepEqual(
    filterFragments(fragments, () => false),
    [],
  )
})
