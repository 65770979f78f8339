import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Encoder } from '../kernel/codec.ts'
import { isCode } from '../kernel/errors.ts'
import { cutAfter, cutBefore } from '../kernel/key-cut.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { randomEntries } from '../testing/entry-model.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { randomFragments } from '../testing/table-range-conformance.ts'
import { decodeRanges, encodeRanges } from './row-ranges.ts'

const place = { file: 'a', part: 'ranges', offset: 7 } as const

test('fragments come back as they were encoded, and keys are written once where they adjoin', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(40), (seed, count) => {
      const random = new SeededRandom(seed)
      const fragments = randomFragments(random, BYTEWISE, randomEntries(random, 30), count)
      const decoded = decodeRanges(encodeRanges(fragments), BYTEWISE, place)
      assert.deepEqual(decoded.fragments, fragments)
    }),
  )
  assert.equal(encodeRanges([]).length, 0)
})

test('what no writer writes is damage, and names its place', () => {
  const of = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)
  // Count, then lower cut (side, shared, rest), upper cut, seqnos.
  const broken: Readonly<Record<string, Uint8Array>> = {
    'a fragment that ends where it begins': of(1, 1, 0, 1, 97, 1, 1, 0, 1, 5),
    'a fragment that ends before it begins': of(1, 3, 0, 1, 97, 1, 1, 0, 1, 5),
    'fragments that overlap': of(2, 1, 0, 1, 97, 4, 1, 5, 1, 0, 1, 98, 4, 1, 5),
    'an unknown side': of(1, 2, 0, 1, 97, 4, 1, 5),
    'a key that shares more than there is': of(1, 1, 1, 1, 97, 4, 1, 5),
    'no seqnos': of(1, 1, 0, 1, 97, 4, 0),
    'seqno 0': of(1, 0, 4, 1, 0),
    'a seqno twice': of(1, 0, 4, 2, 5, 0),
    'seqnos below 1': of(1, 0, 4, 2, 5, 5),
    'bytes left over': of(1, 0, 4, 1, 5, 0),
    'fewer fragments than counted': of(2, 0, 4, 1, 5),
    'more fragments than could be there': new Encoder()
      .varint(2 ** 40)
      .u8(0)
      .finish(),
  }
  for (const [what, bytes] of Object.entries(broken)) {
    assert.throws(
      () => decodeRanges(bytes, BYTEWISE, place),
      (error) => isCode(error, 'TABLE_CORRUPT') && error.details['part'] === 'ranges' && error.details['offset'] === 7,
      what,
    )
  }
  assert.equal(decodeRanges(of(1, 0, 4, 2, 5, 4), BYTEWISE, place).count, 2)
})

test('any bytes are fragments or TABLE_CORRUPT', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 40, max: 5 }), (bytes) => {
      try {
        const { fragments } = decodeRanges(bytes, BYTEWISE, place)
        assert.deepEqual(decodeRanges(encodeRanges(fragments), BYTEWISE, place).fragments, fragments)
      } catch (error) {
        if (!isCode(error, 'TABLE_CORRUPT')) throw error
      }
    }),
    { numRuns: 2000 },
  )
})

test('long keys that share all but an end take memory in proportion to their bytes, whoever wrote them', () => {
  const long = (end: number): Uint8Array => new Uint8Array(60_001).fill(7, 0, 60_000).fill(end, 60_000)
  const fragments = Array.from({ length: 30 }, (_, index) => {
    return { lower: cutBefore(long(index * 2)), upper: cutAfter(long(index * 2)), seqnos: [1] }
  })
  const written = encodeRanges(fragments)
  assert.deepEqual(decodeRanges(written, BYTEWISE, place).fragments, fragments)
  assert.ok(written.length > 60_000 * 3, 'a writer stops sharing')
  const sharing = new Encoder().varint(fragments.length)
  for (const [index, { lower, seqnos }] of fragments.entries()) {
    const end = lower.key.subarray(60_000)
    sharing.u8(1)
    if (index === 0) sharing.varint(0).bytes(lower.key)
    else sharing.varint(60_000).bytes(end)
    sharing.u8(3).varint(60_001).bytes(new Uint8Array(0)).varint(seqnos.length).varint(1)
  }
  const message = /keys share more than a writer lets them/
  assert.throws(() => decodeRanges(sharing.finish(), BYTEWISE, place), { code: 'TABLE_CORRUPT', message })
})
