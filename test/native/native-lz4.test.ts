/** LZ4 of the addon against lz4-napi: the same bytes, and nothing outside of them whatever it is given. */

import assert from 'node:assert/strict'
import { compressSync, uncompressSync } from 'lz4-napi'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { PENDING } from '../../src/kernel/cursor.ts'
import { EntryBatch } from '../../src/kernel/entry-batch.ts'
import { ENTRY_PUT } from '../../src/kernel/entry.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { SEQNO_MAX, fileName } from '../../src/kernel/ids.ts'
import { BYTEWISE } from '../../src/kernel/key-order.ts'
import { NativeLz4 } from '../../src/native/native-lz4.ts'
import { BlockCache } from '../../src/sst/block-cache.ts'
import { rowTableFormat } from '../../src/sst/row-format.ts'
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

testWithAddon(
  'what is encoded fills no more than its place, and lz4-napi decodes it to the same bytes',
  {},
  async () => {
    const lz4 = new NativeLz4(addon())
    const random = new SeededRandom(3)
    let smaller = 0
    for (let round = 0; round < 600; round++) {
      // Those below 13 bytes have no match; those beyond 64 KiB have matches that are too far away.
      const length = random.u32() % (round % 20 === 0 ? 200_000 : round % 3 === 0 ? 40 : 20_000)
      const source = compressible(random, length + 7).subarray(3)
      const room = random.u32() % (length + 100)
      const memory = new Uint8Array(GUARD_BYTES + room + GUARD_BYTES).fill(GUARD)
      const into = memory.subarray(0, GUARD_BYTES + room)
      const written = lz4.encode(source, 2, 2 + length, into, GUARD_BYTES)
      assert.ok(written <= room)
      assert.ok(
        memory.subarray(0, GUARD_BYTES).every((byte) => byte === GUARD),
        'it wrote before its place',
      )
      assert.ok(
        memory.subarray(GUARD_BYTES + room).every((byte) => byte === GUARD),
        'it wrote behind its place',
      )
      if (written === 0) {
        assert.ok(room < length + length / 255 + 32, 'there was room enough for bytes that do not compress')
        continue
      }
      if (written < length) smaller++
      const stored = Buffer.alloc(4 + written)
      stored.writeUInt32LE(length)
      stored.set(into.subarray(GUARD_BYTES, GUARD_BYTES + written), 4)
      const original = source.subarray(2, 2 + length)
      if (length > 0) assert.ok(uncompressSync(stored).equals(original), 'lz4-napi gives the bytes back')
      assert.deepEqual(decode(lz4, stored, length), new Uint8Array(original))
    }
    assert.ok(smaller > 100, `only ${smaller} became smaller`)
  },
)

testWithAddon('a table of large and small blocks that the addon has packed is read by both decoders', {}, async () => {
  const hash = await loadHash()
  const files = new MemoryFileStore({ hash })
  const random = new SeededRandom(4)
  const values = [100, 300_000, 40, 900_000, 5_000, 270_000, 16_000].map((length) => compressible(random, length))
  const batch = new EntryBatch()
  for (const [index, value] of values.entries()) {
    batch.keys[batch.reserveKey(1)] = 0x61 + index
    batch.push(1, index + 1, ENTRY_PUT, batch.block(value), 0, value.length)
  }
  const options = { order: BYTEWISE, hash, lz4: new NativeLz4(addon()) }
  const writer = rowTableFormat.writer(await files.create(fileName('a.table')), options)
  writer.append(batch, 0, batch.count)
  const { ref } = await writer.finish()
  assert.ok(ref.bytes < values.reduce((sum, { length }) => sum + length, 0), 'it is packed')
  for (const lz4 of [options.lz4, undefined]) {
    const reader = rowTableFormat.reader(await files.open(ref), { ...options, lz4, cache: new BlockCache() })
    const cursor = reader.cursor({ range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'all' }, 'stream')
    const found: Uint8Array[] = []
    const read = new EntryBatch()
    for (let count = cursor.next(read); count !== 0; count = cursor.next(read)) {
      if (count === PENDING) await cursor.fill()
      else for (let index = 0; index < count; index++) found.push(new Uint8Array(read.valueAt(index)))
    }
    assert.deepEqual(
      found,
      values.map((value) => new Uint8Array(value)),
    )
    await reader.close()
  }
})

testWithAddon('wrong arguments are a TypeError', {}, async () => {
  const native = addon()
  assert.throws(() => native.decodeLz4(new Uint8Array(4), 5, new Uint8Array(1)), TypeError)
  assert.throws(() => native.decodeLz4(new Uint8Array(4), -1, new Uint8Array(1)), TypeError)
  const bytes = new Uint8Array(4)
  for (const [start, limit, intoStart] of [
    [-1, 4, 0],
    [3, 2, 0],
    [0, 5, 0],
    [0, 4, 5],
    [0, 4, -1],
  ] as const)
    assert.throws(() => native.encodeLz4(bytes, start, limit, bytes, intoStart), TypeError)
  assert.throws(() => native.decodeLz4([] as unknown as Uint8Array, 0, new Uint8Array(1)), TypeError)
})
