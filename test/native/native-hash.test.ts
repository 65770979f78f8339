/** Checksums of the addon against those of WebAssembly. */

import assert from 'node:assert/strict'
import { loadHash } from '../../src/kernel/hash.ts'
import { nativeHash } from '../../src/native/native-hash.ts'
import { HASH_STATE_BYTES } from '../../src/native/native.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { addon, testWithAddon } from './addon-test.ts'

const SEEDS = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]
// The ends of words and stripes, and more than one piece of what WebAssembly takes.
const LENGTHS = [...Array.from({ length: 200 }, (_, length) => length), 4096, 16_385, (1 << 20) + 77]

function noise(random: SeededRandom, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at++) bytes[at] = random.u32()
  return bytes
}

testWithAddon('the hashes of the addon are those of WebAssembly, wherever the bytes lie', {}, async () => {
  const [wasm, native, random] = [await loadHash(), nativeHash(addon()), new SeededRandom(1)]
  for (const length of LENGTHS) {
    const shift = length % 9
    const bytes = noise(random, length + shift).subarray(shift)
    const shared = new Uint8Array(new SharedArrayBuffer(length + shift)).subarray(shift)
    shared.set(bytes)
    for (const seed of SEEDS) {
      const seed64 = (BigInt(seed) << 32n) | BigInt(seed ^ 0x5555)
      const expected = [wasm.hash32(bytes, seed), wasm.hash64(bytes, seed64)]
      for (const each of [bytes, shared])
        assert.deepEqual([native.hash32(each, seed), native.hash64(each, seed64)], expected, `${length} bytes`)
    }
  }
})

testWithAddon('a hash of the addon is the same in one piece and in many', {}, async () => {
  const [native, random] = [nativeHash(addon()), new SeededRandom(2)]
  for (let round = 0; round < 500; round++) {
    const bytes = noise(random, random.u32() % 2000)
    const seed = (BigInt(random.u32()) << 32n) | BigInt(random.u32())
    const [stream, other] = [native.stream64(seed), native.stream64(seed + 1n)]
    for (let at = 0, size = 0; at < bytes.length; at += size) {
      size = random.u32() % 70
      stream.update(bytes.subarray(at, at + size))
      // Each has a state of its own.
      other.update(bytes.subarray(0, 1))
    }
    assert.equal(stream.digest(), native.hash64(bytes, seed), `${bytes.length} bytes`)
  }
})

testWithAddon('the addon refuses what it cannot hash', {}, async () => {
  const it = addon()
  const bytes = new Uint8Array(10)
  const state = new Uint8Array(HASH_STATE_BYTES)
  for (const wrong of [
    () => it.hash32([] as unknown as Uint8Array, 0),
    () => it.hash32(bytes, '0' as unknown as number),
    () => it.hash64(new Uint16Array(4) as unknown as Uint8Array, 0n),
    () => it.hash64(bytes, 0 as unknown as bigint),
    () => it.beginHash64(state.subarray(1), 0n),
    () => it.updateHash64(new Uint8Array(HASH_STATE_BYTES + 1), bytes),
    () => it.endHash64(bytes),
    () => (it.endHash64 as () => bigint)(),
  ])
    assert.throws(wrong, TypeError)
})
