import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readVarint, varintLength, writeVarint } from './varint.ts'

const interesting = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  fc
    .tuple(fc.nat(53), fc.integer({ min: -2, max: 2 }))
    .map(([bits, off]) => Math.min(Math.max(2 ** bits + off, 0), Number.MAX_SAFE_INTEGER)),
)

test('every safe integer reads back, in as many bytes as varintLength says', () => {
  fc.assert(
    fc.property(interesting, fc.nat(3), (value, start) => {
      const bytes = new Uint8Array(16)
      const limit = writeVarint(bytes, start, value)
      assert.equal(limit - start, varintLength(value))
      const cursor = { at: start }
      assert.equal(readVarint(bytes, cursor, limit), value)
      assert.equal(cursor.at, limit)
    }),
    { numRuns: 2000 },
  )
})

test('a varint cut anywhere is refused and the cursor stays', () => {
  fc.assert(
    fc.property(interesting, (value) => {
      const bytes = new Uint8Array(8)
      const limit = writeVarint(bytes, 0, value)
      for (let cut = 0; cut < limit; cut++) {
        const cursor = { at: 0 }
        assert.equal(readVarint(bytes, cursor, cut), -1)
        assert.equal(cursor.at, 0)
      }
    }),
  )
})

test('what is over 53 bits, or longer than eight bytes, is refused', () => {
  const over = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10)
  assert.equal(readVarint(over, { at: 0 }, 8), -1, '2^53')
  const endless = new Uint8Array(20).fill(0x80)
  assert.equal(readVarint(endless, { at: 0 }, 20), -1)
})
