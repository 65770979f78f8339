import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../kernel/bytes.ts'
import { Encoder } from '../kernel/codec.ts'
import { isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { fileName } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { batchesOf, numberedEntries, sortEntries } from '../testing/entry-model.ts'
import type { ModelEntry } from '../testing/entry-model.ts'
import { PART_BLOCK, PART_FOOTER, PART_INDEX, fileIdentity, partSeed } from './file-identity.ts'
import {
  decodeKeyColumnBlock,
  decodeKeyColumnFooter,
  decodeKeyColumnIndex,
  encodeKeyColumnFooter,
  encodeKeyColumnIndex,
} from './key-column.ts'
import { KeyColumnReader } from './key-column-reader.ts'
import { KeyColumnWriter } from './key-column-writer.ts'

const hash = await loadHash()

async function write(files: MemoryFileStore, entries: readonly ModelEntry[], name = 'a'): Promise<FileRef> {
  const writer = new KeyColumnWriter(await files.create(fileName(name)), hash)
  for (const batch of batchesOf(entries, 100)) {
    writer.append(batch, 0, batch.count)
    await writer.drain()
  }
  return writer.finish()
}

async function contentOf(files: MemoryFileStore, ref: FileRef): Promise<readonly string[]> {
  const reader = new KeyColumnReader(await files.open(ref), hash)
  const found: string[] = []
  for await (const { count, keys, keyStarts, valueLengths, seqnos, kinds } of reader.blocks()) {
    for (let at = 0; at < count; at++) {
      const key = keys.subarray(keyStarts[at], keyStarts[at + 1])
      found.push([toHex(key), seqnos[at], kinds[at], valueLengths[at]].join(' '))
    }
  }
  await reader.verify()
  await reader.close()
  return found
}

const line = ({ key, seqno, kind, value }: ModelEntry): string => [toHex(key), seqno, kind, value.length].join(' ')

test('a key column has the keys, seqnos, kinds and lengths of what was appended', async () => {
  const entry: fc.Arbitrary<ModelEntry> = fc.record({
    key: fc.array(fc.constantFrom(0, 1, 255), { maxLength: 6 }).map((list) => Uint8Array.from(list)),
    seqno: fc.integer({ min: 1, max: 2 ** 40 }),
    kind: fc.constantFrom(1, 2),
    value: fc.uint8Array({ maxLength: 300 }),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 300 }), async (list) => {
      const entries = sortEntries(list, BYTEWISE)
      const files = new MemoryFileStore({ hash })
      assert.deepEqual(await contentOf(files, await write(files, entries)), entries.map(line))
    }),
    { numRuns: 60 },
  )
})

test('many keys fill several blocks, and long keys too', async () => {
  const files = new MemoryFileStore({ hash })
  const many = numberedEntries('key', 20_000, 0)
  const ref = await write(files, many)
  assert.deepEqual(await contentOf(files, ref), many.map(line))
  const reader = new KeyColumnReader(await files.open(ref), hash)
  assert.ok((await reader.summary()).places.length > 1)
  await reader.close()
  const long = Array.from({ length: 5 }, (_, index): ModelEntry => {
    return { key: new Uint8Array(60_000 + index).fill(7), seqno: index + 1, kind: 1, value: new Uint8Array(1) }
  })
  assert.deepEqual(await contentOf(files, await write(files, long, 'b')), long.map(line))
})

test('every flipped bit, every cut and another name are damage, never another answer', async () => {
  const source = new MemoryFileStore({ hash })
  const ref = await write(source, numberedEntries('k', 30, 3))
  const reader = await source.open(ref)
  const whole = await reader.read(0, ref.bytes)
  const expected = await contentOf(source, ref)
  const damaged = async (bytes: Uint8Array, name = 'a'): Promise<void> => {
    const files = new MemoryFileStore({ hash })
    const writer = await files.create(fileName(name))
    await writer.write(bytes)
    const stored = await writer.finish()
    const open = { ...stored, checksum: ref.checksum }
    await assert.rejects(contentOf(files, open), (error) => isCode(error, 'TABLE_CORRUPT'))
  }
  for (let at = 0; at < whole.length; at++) {
    const flipped = whole.slice()
    flipped[at] = (flipped[at] as number) ^ (1 << (at % 8))
    await damaged(flipped)
  }
  for (const length of [1, 63, 64, 65, whole.length - 1]) await damaged(whole.slice(0, length))
  await damaged(whole, 'b')
  assert.deepEqual(await contentOf(source, ref), expected)
})

const IDENTITY = fileIdentity(hash, 'a')
const sealOf = (bytes: Uint8Array, part: number, offset: number): bigint =>
  hash.hash64(bytes, partSeed(IDENTITY, part, offset))

test('what a footer says is possible, also under a checksum that is right', () => {
  const footer = { indexOffset: 100, indexChecksum: 5n, entryCount: 3, keyBytes: 9, valueBytes: 0 }
  const decode = (change: (view: DataView) => void, offset = 120): unknown => {
    const bytes = encodeKeyColumnFooter(footer, IDENTITY, hash, 120)
    const view = new DataView(bytes.buffer)
    change(view)
    view.setBigUint64(56, sealOf(bytes.subarray(0, 56), PART_FOOTER, 120), true)
    return decodeKeyColumnFooter(bytes, 'a', IDENTITY, hash, offset)
  }
  assert.deepEqual(
    decode(() => undefined),
    footer,
  )
  assert.throws(() => decode(() => undefined, 121), /checksum does not match/)
  const wrong: readonly [string, RegExp, (view: DataView) => void][] = [
    ['TABLE_CORRUPT', /not a key column/, (view) => view.setUint32(0, 1, true)],
    ['INCOMPATIBLE', /version 2/, (view) => view.setUint32(4, 2, true)],
    ['TABLE_CORRUPT', /the index begins after the footer/, (view) => view.setBigUint64(8, 121n, true)],
    ['TABLE_CORRUPT', /impossible number/, (view) => view.setBigUint64(16, 2n ** 53n, true)],
    ['TABLE_CORRUPT', /impossible number/, (view) => view.setBigUint64(32, 2n ** 63n, true)],
    ['TABLE_CORRUPT', /impossible number/, (view) => view.setBigUint64(48, 1n, true)],
  ]
  for (const [code, message, change] of wrong) assert.throws(() => decode(change), { code, message })
})

test('blocks lie back to back up to the index, and have as many entries as the footer says', () => {
  const blocks = [
    { offset: 0, length: 60, entryCount: 2, checksum: 1n },
    { offset: 60, length: 40, entryCount: 1, checksum: 2n },
  ]
  const decode = (bytes: Uint8Array, indexOffset = 100, entryCount = 3): unknown => {
    const indexChecksum = sealOf(bytes, PART_INDEX, indexOffset)
    const footer = { indexOffset, indexChecksum, entryCount, keyBytes: 0, valueBytes: 0 }
    return decodeKeyColumnIndex(bytes, footer, 'a', IDENTITY, hash)
  }
  const bytes = encodeKeyColumnIndex(blocks)
  assert.deepEqual(decode(bytes), blocks)
  const code = 'TABLE_CORRUPT'
  for (const end of [99, 101]) assert.throws(() => decode(bytes, end), { code, message: /do not fill their area/ })
  for (const count of [2, 4])
    assert.throws(() => decode(bytes, 100, count), { code, message: /another number of entries/ })
  assert.throws(() => decode(bytes.subarray(0, -1)), { code, message: /count beyond the end|ends early/ })
  assert.throws(() => decode(Uint8Array.of(...bytes, 0)), { code, message: /left over/ })
})

test('keys share what the one before has, and not more than a writer lets them', () => {
  /** Each key by how many bytes it shares with the one before, and the rest of it. */
  const decode = (keys: readonly (readonly [number, Uint8Array])[], entryCount = keys.length) => {
    const encoder = new Encoder().varint(keys.length)
    for (const _ of keys) encoder.u8(1)
    for (const index of keys.keys()) encoder.varint(index)
    for (const _ of keys) encoder.varint(1)
    for (const [shared, rest] of keys) encoder.varint(shared).bytes(rest)
    const bytes = encoder.finish()
    const found = { offset: 0, length: bytes.length, entryCount, checksum: sealOf(bytes, PART_BLOCK, 0) }
    return decodeKeyColumnBlock(bytes, found, 'a', IDENTITY, hash)
  }
  const rest = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes)
  const block = decode([
    [0, rest(1, 2)],
    [2, rest(3)],
    [1, rest(9)],
  ])
  assert.deepEqual([...block.keys.subarray(0, 7)], [1, 2, 1, 2, 3, 1, 9])
  assert.deepEqual([...block.keyStarts], [0, 2, 5, 7])
  const code = 'TABLE_CORRUPT'
  assert.throws(() => decode([[1, rest(1)]]), { code, message: /shares more than the one before has/ })
  // More than the key before has, though not more than what all of them have.
  const third = [
    [0, rest(1, 2, 3)],
    [0, rest(2)],
    [2, rest(4)],
  ] as const
  assert.throws(() => decode(third), { code, message: /shares more than the one before has/ })
  assert.throws(() => decode([[0, rest(1)]], 2), { code, message: /another number of entries/ })
  // A few bytes each, and 10 000 more where they are read.
  const long = new Uint8Array(10_000).fill(7)
  const sharing = (count: number) =>
    Array.from({ length: count }, (_, index) => [index === 0 ? 0 : 10_000, index === 0 ? long : rest()] as const)
  const { count, keys, keyStarts } = decode(sharing(100))
  assert.equal(keyStarts[count], 1_000_000)
  assert.ok(keys.subarray(0, 1_000_000).every((byte) => byte === 7))
  assert.throws(() => decode(sharing(200)), { code, message: /share more than a writer lets them/ })
})
