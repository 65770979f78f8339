import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { PENDING } from '../kernel/cursor.ts'
import { isCode } from '../kernel/errors.ts'
import { loadHash } from '../kernel/hash.ts'
import { SEQNO_MAX, seqno } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { FileReader } from '../fs/fs.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { describe, drainCursor, scanOf, sortEntries } from '../testing/entry-model.ts'
import type { ModelEntry } from '../testing/entry-model.ts'
import { DESCENDING } from '../testing/descending-order.ts'
import { writeTable } from '../testing/table-bench.ts'
import { numberedEntries } from '../testing/entry-model.ts'
import { BlockCache } from './block-cache.ts'
import { rowTableFormat } from './row-format.ts'

const hash = await loadHash()
const everything = { range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'newest' } as const

test('cursors agree with a naive sorted list for any entries, settings, order and range', async () => {
  const key = fc.array(fc.constantFrom(0, 0x61, 0x62, 0xff), { maxLength: 7 }).map((list) => Uint8Array.from(list))
  const entry: fc.Arbitrary<ModelEntry> = fc.record({
    key,
    seqno: fc.integer({ min: 1, max: 30 }),
    kind: fc.constantFrom(1, 2),
    value: fc.uint8Array({ maxLength: 30 }),
  })
  const scan = fc.record({
    range: fc.record(
      { lower: key, lowerOpen: fc.boolean(), upper: key, upperOpen: fc.boolean() },
      { requiredKeys: [] },
    ),
    reverse: fc.boolean(),
    seqno: fc.integer({ min: 0, max: 31 }).map(seqno),
  })
  const settings = fc.record({
    blockBytes: fc.constantFrom(64, 90, 300, 8192),
    codec: fc.constantFrom('lz4', 'none'),
    filterBitsPerKey: fc.constantFrom(0, 10),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(entry, { minLength: 1, maxLength: 60 }),
      settings,
      fc.constantFrom(BYTEWISE, DESCENDING),
      fc.array(scan, { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 9 }),
      fc.constantFrom(0, 1500, 1 << 20),
      async (list, chosen, order, scans, capacity, cacheBytes) => {
        const entries = sortEntries(list, order)
        const files = new MemoryFileStore({ hash })
        const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'a', entries, settings: chosen, order })
        const reader = rowTableFormat.reader(await files.open(ref), {
          order,
          hash,
          cache: new BlockCache({ cacheBytes }),
        })
        for (const [index, each] of scans.entries()) {
          for (const versions of ['newest', 'all'] as const) {
            if (each.reverse && versions === 'all') continue
            const options = { ...each, versions }
            const seen = await drainCursor(reader.cursor(options, index % 2 === 0 ? 'point' : 'stream'), capacity)
            assert.deepEqual(seen.map(describe), scanOf(entries, order, options).map(describe))
          }
        }
        await reader.verify('structure')
        await reader.close()
      },
    ),
    { numRuns: 60 },
  )
})

test('versions of one key that lie in several blocks are one key, whatever is read of them', async () => {
  const list: ModelEntry[] = []
  for (const [at, name] of ['before', 'many', 'until'].entries())
    for (let version = 1; version <= (at === 1 ? 40 : 1); version++)
      list.push({ key: Buffer.from(name), seqno: version, kind: 1, value: Buffer.alloc(20, version) })
  const entries = sortEntries(list, BYTEWISE)
  const files = new MemoryFileStore({ hash })
  const settings = { blockBytes: 90, codec: 'none' }
  const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'a', entries, settings })
  const reader = rowTableFormat.reader(await files.open(ref), { order: BYTEWISE, hash, cache: new BlockCache() })
  for (const capacity of [1, 3, 64])
    for (const reverse of [false, true])
      for (const at of [1, 2, 20, 39, 40, SEQNO_MAX]) {
        const options = { range: {}, reverse, seqno: seqno(at), versions: 'newest' } as const
        const seen = await drainCursor(reader.cursor(options), capacity)
        assert.deepEqual(seen.map(describe), scanOf(entries, BYTEWISE, options).map(describe), `${at}, ${capacity}`)
      }
  await reader.close()
})

/** Scans a table of 200 blocks or so and counts reads of the file. */
async function countReads(
  intent: 'point' | 'stream',
  reverse: boolean,
): Promise<{ reads: number; kept: number; blocks: number }> {
  const files = new MemoryFileStore({ hash })
  const entries = numberedEntries('k', 8000, 100)
  const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'a', entries, settings: { codec: 'none' } })
  const file = await files.open(ref)
  let reads = 0
  const counting = {
    ref,
    read: async (offset: number, length: number) => {
      reads++
      return await file.read(offset, length)
    },
    readSync: (offset: number, length: number) => file.readSync(offset, length),
    readNow: () => undefined,
    close: async () => await file.close(),
  }
  const cache = new BlockCache()
  const reader = rowTableFormat.reader(counting, { order: BYTEWISE, hash, cache })
  assert.equal((await drainCursor(reader.cursor({ ...everything, reverse }, intent), 256)).length, entries.length)
  const kept = cache.statistics.blockCount
  await reader.close()
  assert.deepEqual(
    [cache.statistics.blockCount, cache.statistics.pinnedBytes],
    [0, 0],
    'a closed reader gives all back',
  )
  return { reads, kept, blocks: Math.ceil((8000 * 107) / 8192) }
}

test('keys of one length that differ only behind their first bytes are several keys, beside versions of one', async () => {
  const entry = (text: string, at: number): ModelEntry => {
    return { key: Buffer.from(text), seqno: at, kind: 1, value: Buffer.from(`${text} at ${at}`) }
  }
  for (const middle of ['', '4567', '4567890123456789']) {
    // The first keeps the block from having a prefix, and its versions a scan from copying runs.
    const list = [entry('a', 9), entry('a', 2), entry(`b123${middle}x`, 3), entry(`b123${middle}y`, 4)]
    list.push(entry(`b123${middle}y`, 1), entry(`b123${middle}z`, 5))
    const entries = sortEntries(list, BYTEWISE)
    const files = new MemoryFileStore({ hash })
    const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'a', entries, settings: {}, order: BYTEWISE })
    const reader = rowTableFormat.reader(await files.open(ref), { order: BYTEWISE, hash, cache: new BlockCache() })
    for (const reverse of [false, true]) {
      const options = { ...everything, reverse }
      const seen = await drainCursor(reader.cursor(options), 3)
      assert.equal(seen.length, 4)
      assert.deepEqual(seen.map(describe), scanOf(entries, BYTEWISE, options).map(describe))
    }
    await reader.close()
  }
})

test('keys of one length that differ in their first bytes only are several keys, also where a block ends between them', async () => {
  const letters = Array.from({ length: 26 }, (_, index) => String.fromCharCode(0x61 + index))
  for (const length of [1, 4, 6]) {
    for (const valueBytes of [1, 8, 15]) {
      const list = letters.flatMap((letter, index) =>
        [1, 2].map((version): ModelEntry => {
          const key = Buffer.from(`${letter}${'x'.repeat(length - 1)}`)
          return { key, seqno: index * 2 + version, kind: 1, value: Buffer.alloc(valueBytes, letter) }
        }),
      )
      const entries = sortEntries(list, BYTEWISE)
      const files = new MemoryFileStore({ hash })
      const settings = { blockBytes: 90 }
      const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'a', entries, settings, order: BYTEWISE })
      const reader = rowTableFormat.reader(await files.open(ref), { order: BYTEWISE, hash, cache: new BlockCache() })
      for (const reverse of [false, true]) {
        const options = { ...everything, reverse }
        const seen = await drainCursor(reader.cursor(options), 7)
        assert.deepEqual(seen.map(describe), scanOf(entries, BYTEWISE, options).map(describe))
      }
      await reader.close()
    }
  }
})

test('a stream reads many blocks at once and leaves nothing in the cache', async () => {
  for (const reverse of [false, true]) {
    const { reads, kept, blocks } = await countReads('stream', reverse)
    assert.ok(reads <= blocks / 10, `${reads} reads of ${blocks} blocks`)
    assert.equal(kept, 0)
  }
})

test('a point cursor that goes on reads more and more at once, and its blocks are kept', async () => {
  const { reads, kept, blocks } = await countReads('point', false)
  assert.ok(reads <= blocks / 4, `${reads} reads of ${blocks} blocks`)
  assert.ok(kept >= blocks - 1, `${kept} of ${blocks} blocks kept`)
})

test('a point cursor awaits no block that is at hand, but one after every sixteen, and all of them are kept', async () => {
  const files = new MemoryFileStore({ hash })
  const entries = numberedEntries('k', 8000, 100)
  for (const codec of ['none', 'lz4'] as const) {
    const { ref } = await writeTable(files, rowTableFormat, hash, { name: codec, entries, settings: { codec } })
    const file = await files.open(ref)
    let atOnce = 0
    const atHand: FileReader = {
      ref,
      read: (offset, length) => file.read(offset, length),
      readSync: (offset, length) => file.readSync(offset, length),
      readNow: (offset, length) => {
        atOnce++
        return file.readSync(offset, length)
      },
      close: () => file.close(),
    }
    const cache = new BlockCache()
    const reader = rowTableFormat.reader(atHand, { order: BYTEWISE, hash, cache })
    const cursor = reader.cursor(everything)
    const batch = new EntryBatch()
    assert.equal(cursor.next(batch), PENDING, 'its index is awaited')
    await cursor.fill()
    while (cursor.next(batch) !== PENDING) continue
    assert.equal(atOnce, 16)
    cursor.close()
    assert.equal(cache.statistics.misses, 16)
    const seen = await drainCursor(reader.cursor(everything), 256)
    assert.deepEqual(seen.map(describe), entries.map(describe))
    const blocks = Math.floor((8000 * 107) / 8192)
    assert.ok(cache.statistics.blockCount >= blocks, `${cache.statistics.blockCount} of ${blocks} blocks kept`)
    await reader.close()
  }
})

test('a cursor over a closed table, or a closed cursor, says CLOSED', async () => {
  const files = new MemoryFileStore({ hash })
  const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'a', entries: numberedEntries('k', 10, 10) })
  const reader = rowTableFormat.reader(await files.open(ref), { order: BYTEWISE, hash, cache: new BlockCache() })
  const batch = new EntryBatch(4)
  const cursor = reader.cursor(everything)
  assert.equal(cursor.next(batch), PENDING)
  await reader.close()
  const closed = (error: unknown): boolean => isCode(error, 'CLOSED')
  await assert.rejects(cursor.fill(), closed)
  cursor.close()
  assert.throws(() => cursor.next(batch), closed)
  assert.throws(() => reader.cursor(everything), closed)
})

test('a stream reads into the same memory again, and what it gave stays as it was', async () => {
  for (const codec of ['none', 'lz4']) {
    const files = new MemoryFileStore({ hash })
    const entries = numberedEntries('key', 10_000, 60)
    const settings = { blockBytes: 1024, codec }
    const { ref } = await writeTable(files, rowTableFormat, hash, { name: 'a', entries, settings })
    const lent = new Set<ArrayBufferLike>()
    const file = await files.open(ref)
    const lending: FileReader = {
      ref,
      read: async (offset, length, options = {}) => {
        const bytes = await file.read(offset, length)
        if (options.into === undefined) return bytes
        lent.add(options.into.buffer)
        options.into.set(bytes)
        return options.into.subarray(0, length)
      },
      readSync: (offset, length) => file.readSync(offset, length),
      readNow: () => undefined,
      close: () => file.close(),
    }
    const reader = rowTableFormat.reader(lending, { order: BYTEWISE, hash, cache: new BlockCache({ cacheBytes: 0 }) })
    const cursor = reader.cursor(everything, 'stream')
    const [batch, kept] = [new EntryBatch(), new EntryBatch(entries.length)]
    for (let count = cursor.next(batch); count !== 0; count = cursor.next(batch)) {
      if (count === PENDING) await cursor.fill()
      // A merge keeps values of one source while it asks the same one again.
      else kept.pushRange(batch, 0, count)
    }
    cursor.close()
    assert.ok(ref.bytes > 4 * 131_072 || codec === 'lz4')
    assert.ok(lent.size >= 1 && lent.size <= 2, `${lent.size} pieces of memory`)
    assert.deepEqual(
      entries.map((_, index) => Buffer.from(kept.valueViewAt(index)).toString('hex')),
      entries.map(({ value }) => Buffer.from(value).toString('hex')),
    )
    await reader.close()
  }
})
