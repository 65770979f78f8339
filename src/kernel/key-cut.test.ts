import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Decoder, Encoder } from './codec.ts'
import {
  AFTER_ALL,
  BEFORE_ALL,
  compareCuts,
  cutAfter,
  cutBefore,
  decodeCut,
  encodeCut,
  isAfterCut,
  lastCutBefore,
  lowerCut,
  rangeAfter,
  rangeBefore,
  upperCut,
} from './key-cut.ts'
import type { KeyCut } from './key-cut.ts'
import { BYTEWISE } from './key-order.ts'
import { isAtOrAfterLower, isAtOrBeforeUpper } from './key-range.ts'
import type { KeyRange } from './key-range.ts'

const keys = fc.uint8Array({ maxLength: 2, max: 3 })
const cuts = fc.oneof(fc.constant(BEFORE_ALL), fc.constant(AFTER_ALL), keys.map(cutBefore), keys.map(cutAfter))
const ranges = fc
  .record({
    lower: fc.option(keys, { nil: undefined }),
    upper: fc.option(keys, { nil: undefined }),
    lowerOpen: fc.boolean(),
    upperOpen: fc.boolean(),
  })
  .map(({ lower, upper, lowerOpen, upperOpen }): KeyRange => ({
    ...(lower === undefined ? {} : { lower, lowerOpen }),
    ...(upper === undefined ? {} : { upper, upperOpen }),
  }))

const after = (key: Uint8Array, cut: KeyCut): boolean => isAfterCut(BYTEWISE, key, 0, key.length, cut)
const isIn = (range: KeyRange, key: Uint8Array): boolean =>
  isAtOrAfterLower(range, BYTEWISE, key, 0, key.length) && isAtOrBeforeUpper(range, BYTEWISE, key, 0, key.length)

test('a key is in a range exactly if it is between its two cuts', () => {
  fc.assert(
    fc.property(ranges, keys, (range, key) => {
      assert.equal(after(key, lowerCut(range)) && !after(key, upperCut(range)), isIn(range, key))
    }),
  )
})

test('a range narrowed at a cut has what of it is on that side', () => {
  fc.assert(
    fc.property(ranges, cuts, keys, (range, cut, key) => {
      const inside =
        compareCuts(BYTEWISE, lowerCut(range), cut) <= 0 && compareCuts(BYTEWISE, cut, upperCut(range)) <= 0
      fc.pre(inside)
      if (cut !== AFTER_ALL) assert.equal(isIn(rangeAfter(range, cut), key), isIn(range, key) && after(key, cut))
      if (cut !== BEFORE_ALL) assert.equal(isIn(rangeBefore(range, cut), key), isIn(range, key) && !after(key, cut))
    }),
  )
})

test('cuts are in order: what is after one is after all before it', () => {
  fc.assert(
    fc.property(fc.array(cuts, { maxLength: 12 }), keys, (unsorted, key) => {
      const sorted = unsorted.toSorted((a, b) => compareCuts(BYTEWISE, a, b))
      const sides = sorted.map((cut) => after(key, cut))
      assert.deepEqual(
        sides,
        sides.toSorted((a, b) => Number(b) - Number(a)),
      )
      assert.equal(lastCutBefore(sorted, BYTEWISE, key, 0, key.length), sides.lastIndexOf(true))
      for (const cut of sorted) assert.equal(compareCuts(BYTEWISE, cut, cut), 0)
    }),
  )
})

test('cuts survive encoding, and an unknown side is refused', () => {
  fc.assert(
    fc.property(fc.array(cuts), (given) => {
      const encoder = new Encoder()
      for (const cut of given) encodeCut(encoder, cut)
      const decoder = new Decoder(encoder.finish(), () => assert.fail())
      assert.deepEqual(
        given.map(() => decodeCut(decoder)),
        given,
      )
      decoder.end()
    }),
  )
  for (const side of [2, 5, 255]) {
    const decoder = new Decoder(Uint8Array.of(side, 0), (reason) => {
      throw new Error(reason)
    })
    assert.throws(() => decodeCut(decoder), /unknown side/)
  }
})
