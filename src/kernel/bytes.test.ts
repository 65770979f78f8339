import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  compareBytes,
  compareRange,
  concatBytes,
  copyBytes,
  copyRange,
  equalBytes,
  headOf,
  prefixLimit,
  sharedPrefixLength,
  toHex,
  copyOf,
} from './bytes.ts'

const few = fc.uint8Array({ maxLength: 8 }).map((bytes) => bytes.map((byte) => [0, 1, 0x80, 0xff][byte & 3] as number))
const any = fc.oneof(few, fc.uint8Array({ maxLength: 100 }))

test('bytes compare as Buffer.compare has them, whole or as ranges', () => {
  fc.assert(
    fc.property(any, any, fc.nat(5), (a, b, shift) => {
      const expected = Buffer.compare(a, b)
      assert.equal(Math.sign(compareBytes(a, b)), expected)
      assert.equal(equalBytes(a, b), expected === 0)
      const padded = concatBytes([new Uint8Array(shift).fill(7), a, Uint8Array.of(9)])
      assert.equal(Math.sign(compareRange(padded, shift, shift + a.length, b, 0, b.length)), expected)
    }),
    { numRuns: 1000 },
  )
})

test('heads order as the keys do, wherever they differ', () => {
  fc.assert(
    fc.property(any, any, (a, b) => {
      const difference = headOf(a, 0, a.length) - headOf(b, 0, b.length)
      if (difference !== 0) assert.equal(Math.sign(difference), Buffer.compare(a, b))
      else assert.equal(Buffer.compare(pad(a), pad(b)), 0)
    }),
    { numRuns: 1000 },
  )
})

function pad(key: Uint8Array): Uint8Array {
  const padded = new Uint8Array(4)
  padded.set(key.subarray(0, 4))
  return padded
}

test('the shared prefix is what both begin with, and no longer', () => {
  fc.assert(
    fc.property(few, few, few, (prefix, a, b) => {
      const left = concatBytes([prefix, a])
      const right = concatBytes([prefix, b])
      const length = sharedPrefixLength(left, 0, left.length, right, 0, right.length)
      assert.ok(length >= prefix.length)
      assert.ok(equalBytes(left.subarray(0, length), right.subarray(0, length)))
      assert.ok(length === left.length || length === right.length || left[length] !== right[length])
    }),
  )
})

test('the limit of a prefix comes after all that begin with it and before or at whatever else follows', () => {
  fc.assert(
    fc.property(few, few, few, (prefix, tail, other) => {
      const limit = prefixLimit(prefix)
      const inside = concatBytes([prefix, tail])
      if (limit === undefined) {
        assert.ok(prefix.every((byte) => byte === 0xff))
        return
      }
      assert.ok(compareBytes(inside, limit) < 0)
      const begins = equalBytes(other.subarray(0, prefix.length), prefix)
      if (!begins && compareBytes(other, prefix) > 0) assert.ok(compareBytes(other, limit) >= 0)
    }),
    { numRuns: 1000 },
  )
  assert.deepEqual(prefixLimit(Uint8Array.of(1, 0xff, 0xff)), Uint8Array.of(2))
  assert.equal(prefixLimit(new Uint8Array(0)), undefined)
})

test('bytes that were copied do not change with where they came from, also where that is a Buffer', () => {
  const source = Buffer.from('abcdef')
  const [whole, part, limit] = [copyOf(source), copyOf(source, 1, 3), prefixLimit(source)]
  assert.equal(source.toString(), 'abcdef', 'the limit of a prefix is not written into it')
  source.fill(0)
  assert.deepEqual(
    [whole, part, limit].map(String),
    [Buffer.from('abcdef'), Buffer.from('bc'), Buffer.from('abcdeg')].map((bytes) => new Uint8Array(bytes).toString()),
  )
})

test('a copy of any length puts exactly those bytes there', () => {
  for (let length = 0; length < 130; length++) {
    const source = Uint8Array.from({ length: length + 10 }, (_, index) => index + 1)
    const part = new Uint8Array(length + 20)
    copyRange(source, 3, length, part, 5)
    assert.deepEqual(part, concatBytes([new Uint8Array(5), source.subarray(3, 3 + length), new Uint8Array(15)]))
    const whole = new Uint8Array(length + 20)
    copyBytes(source, whole, 5)
    assert.deepEqual(whole, concatBytes([new Uint8Array(5), source, new Uint8Array(5)]))
  }
})

test('hexadecimal has two lower-case digits a byte', () => {
  assert.equal(toHex(Uint8Array.of(0, 9, 0xab, 0xff)), '0009abff')
  assert.equal(toHex(new Uint8Array(0)), '')
})
