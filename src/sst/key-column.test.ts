import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex } from '../kernel/bytes.ts'
import { isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { fileName } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { batchesOf, numberedEntries, sortEntries } from '../testing/entry-model.ts'
import type { ModelEntry } from '../testing/entry-model.ts'
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
