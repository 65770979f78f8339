import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MIB } from './limits.ts'
import { formatHash64, hashKey, loadHash } from './hash.ts'

const SEEDS = [0, 1, 0x7fff_ffff, 0x8000_0000, 0x9e37_79b1, 0xffff_ffff]

/** A fixed sequence, the same in every run. */
function noise(length: number): Uint8Array {
  let state = 12345
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
}

test('hashKey is XXH32, for every length of 0 to 200 bytes at every offset in a word', async () => {
  const hash = await loadHash()
  const bytes = noise(300)
  for (const seed of SEEDS) {
    for (let length = 0; length <= 200; length++) {
      const start = length % 7
      const expected = hash.hash32(bytes.slice(start, start + length), seed)
      assert.equal(hashKey(bytes, start, start + length, seed), expected, `${length} bytes, seed ${seed}`)
    }
  }
})

test('the hashes are those of the xxHash specification', async () => {
  const hash = await loadHash()
  assert.equal(hash.hash32(new Uint8Array(0), 0), 0x02cc5d05)
  assert.equal(hashKey(new Uint8Array(0), 0, 0, 0), 0x02cc5d05)
  assert.equal(hash.hash64(new Uint8Array(0), 0n), 0xef46db3751d8e999n)
  const abc = new TextEncoder().encode('abc')
  assert.equal(hashKey(abc, 0, 3, 0), 0x32d153ff)
  assert.equal(hash.hash64(abc, 0n), 0x44bc2cf5ad770999n)
})

test('a hash is the same in one piece, in many, and streamed', async () => {
  const hash = await loadHash()
  const bytes = noise(2 * MIB + 12_345)
  const whole = hash.hash64(bytes, 42n)
  const stream = hash.stream64(42n)
  for (let at = 0, size = 1; at < bytes.length; at += size, size = size * 3 + 1)
    stream.update(bytes.subarray(at, at + size))
  assert.equal(stream.digest(), whole)
  const large = hash.hash32(bytes, 42)
  assert.equal(large, hashKey(bytes, 0, bytes.length, 42), 'XXH32 of more than one piece')
  const view = noise(2 * MIB + 12_345 + 3).subarray(0, bytes.length)
  assert.equal(hash.hash64(view, 42n), whole, 'a view hashes as its bytes')
  assert.notEqual(hash.hash64(bytes, 43n), whole, 'the seed matters')
})

test('a 64-bit hash is printed with all sixteen digits', () => {
  assert.equal(formatHash64(0n), '0000000000000000')
  assert.equal(formatHash64(0xabcn), '0000000000000abc')
  assert.equal(formatHash64(2n ** 64n - 1n), 'ffffffffffffffff')
})
