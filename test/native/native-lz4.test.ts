/** LZ4 of the addon against lz4-napi: the same bytes, and nothing outside of them whatever it is given. */

import assert from 'node:assert/strict'
import { compressSync } from 'lz4-napi'
import { NativeLz4 } from '../../src/native/native-lz4.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { addon, testWithAddon } from './addon-test.ts'

const GUARD_BYTES = 32
const GUARD = 0xa5

/** Bytes that repeat at all distances: runs, near and far copies, noise. */
function compressible(random: SeededRandom, length: number): Buffer {
  const bytes = Buffer.alloc(length)
  for (let at = 0; at < length;) {
    const size = Math.min(length - at, 1 + (random.u32() % 300))
    const distance = 1 + (random.u32() % 40)
    const repeats = at >= distance && random.u32() % 2 === 0
    const end = at + size
    for (; at < end; at++) bytes[at] = repeats ? (bytes[at - distance] as number) : random.u32()
  }
  return bytes
}

/** Decodes between two guards. */
function decode(lz4: NativeLz4, source: Uint8Array, length: number): Uint8Array | undefined {
  const memory = new Uint8Array(length + 2 * GUARD_BYTES).fill(GUARD)
  const into = memory.subarray(GUARD_BYTES, GUARD_BYTES + length)
  const decoded = lz4.decode(source, 4, into)
  for (const guard of [memory.subarray(0, GUARD_BYTES), memory.subarray(GUARD_BYTES + length)]) {
    assert.ok(
      guard.every((byte) => byte === GUARD),
      'it wrote outside',
    )
  }
  return decoded ? into : undefined
}

testWithAddon('what lz4-napi compresses is decoded to the same bytes, and to no other length', {}, async () => {
  const lz4 = new NativeLz4(addon())
  const random = new SeededRandom(1)
  for (let round = 0; round < 300; round++) {
    const length = 1 + (random.u32() % 20_000)
    const bytes = compressible(random, length)
    const stored = compressSync(bytes)
    assert.deepEqual(decode(lz4, stored, length), new Uint8Array(bytes))
    assert.equal(decode(lz4, stored, length - 1), undefined)
    assert.equal(decode(lz4, stored, length + 1), undefined)
  }
})

testWithAddon('damaged blocks are refused or fill their place, and nothing else', {}, async () => {
  const lz4 = new NativeLz4(addon())
  const random = new SeededRandom(2)
  let refused = 0
  for (let round = 0; round < 2000; round++) {
    const length = 1 + (random.u32() % 2000)
    const stored = new Uint8Array(compressSync(compressible(random, length)))
    for (let flips = 1 + (random.u32() % 3); flips > 0; flips--) {
      const at = 4 + (random.u32() % (stored.length - 4))
      stored[at] = (stored[at] as number) ^ (1 << (random.u32() % 8))
    }
    const cut = random.u32() % 4 === 0 ? stored.subarray(0, 4 + (random.u32() % (stored.length - 4))) : stored
    if (decode(lz4, cut, length) === undefined) refused++
  }
  assert.ok(refused > 500, `only ${refused} were refused`)
})

testWithAddon('wrong arguments are a TypeError', {}, async () => {
  const native = addon()
  assert.throws(() => native.decodeLz4(new Uint8Array(4), 5, new Uint8Array(1)), TypeError)
  assert.throws(() => native.decodeLz4(new Uint8Array(4), -1, new Uint8Array(1)), TypeError)
  assert.throws(() => native.decodeLz4([] as unknown as Uint8Array, 0, new Uint8Array(1)), TypeError)
})
