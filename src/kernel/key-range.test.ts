import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareBytes } from './bytes.ts'
import { BYTEWISE } from './key-order.ts'
import { isAtOrAfterLower, isAtOrBeforeUpper, isEmptyRange, overlaps } from './key-range.ts'
import type { KeyRange } from './key-range.ts'

// All keys of up to two of three letters: a range with no key in this set can still hold others.
const letters = [0, 1, 2]
const universe = [[], ...letters.map((a) => [a]), ...letters.flatMap((a) => letters.map((b) => [a, b]))].map((key) =>
  Uint8Array.from(key),
)
const key = fc.constantFrom(...universe)
const range: fc.Arbitrary<KeyRange> = fc
  .tuple(fc.option(key, { nil: undefined }), fc.option(key, { nil: undefined }), fc.boolean(), fc.boolean())
  .map(([lower, upper, lowerOpen, upperOpen]) => ({
    ...(lower === undefined ? {} : { lower, lowerOpen }),
    ...(upper === undefined ? {} : { upper, upperOpen }),
  }))

const isInside = (of: KeyRange, at: Uint8Array): boolean =>
  isAtOrAfterLower(of, BYTEWISE, at, 0, at.length) && isAtOrBeforeUpper(of, BYTEWISE, at, 0, at.length)

test('bounds are inside unless they are open', () => {
  fc.assert(
    fc.property(range, key, (of, at) => {
      const { lower, upper, lowerOpen = false, upperOpen = false } = of
      const after = lower === undefined || compareBytes(at, lower) > (lowerOpen ? 0 : -1)
      const before = upper === undefined || compareBytes(at, upper) < (upperOpen ? 0 : 1)
      assert.equal(isInside(of, at), after && before)
    }),
    { numRuns: 1000 },
  )
})

test('a range that is called empty holds no key, and one with a key inside is not called empty', () => {
  fc.assert(
    fc.property(range, (of) => {
      const inside = universe.filter((at) => isInside(of, at))
      if (inside.length > 0) assert.ok(!isEmptyRange(of, BYTEWISE))
      if (isEmptyRange(of, BYTEWISE)) assert.equal(inside.length, 0)
    }),
    { numRuns: 1000 },
  )
  const a = Uint8Array.of(1)
  assert.ok(!isEmptyRange({ lower: a, upper: a }, BYTEWISE), 'both bounds closed: one key')
  assert.ok(isEmptyRange({ lower: a, upper: a, upperOpen: true }, BYTEWISE))
  assert.ok(isEmptyRange({ lower: a, upper: new Uint8Array(0) }, BYTEWISE))
})

test('a table whose keys are outside the range never overlaps it, and one with a key inside always does', () => {
  fc.assert(
    fc.property(range, key, key, (of, one, other) => {
      const [first, last] = compareBytes(one, other) <= 0 ? [one, other] : [other, one]
      const common = universe.filter(
        (at) => isInside(of, at) && compareBytes(first, at) <= 0 && compareBytes(at, last) <= 0,
      )
      if (common.length > 0) assert.ok(overlaps(of, BYTEWISE, first, last))
      const beforeRange = !isAtOrAfterLower(of, BYTEWISE, last, 0, last.length)
      const afterRange = !isAtOrBeforeUpper(of, BYTEWISE, first, 0, first.length)
      assert.equal(overlaps(of, BYTEWISE, first, last), !beforeRange && !afterRange)
    }),
    { numRuns: 1000 },
  )
})
