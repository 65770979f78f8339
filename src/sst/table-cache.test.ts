import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PENDING } from '../kernel/cursor.ts'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { emptyFound } from '../kernel/found.ts'
import { hashKey, loadHash } from '../kernel/hash.ts'
import { SEQNO_MAX } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { FileReader } from '../fs/fs.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { describe, drainCursor, scanOf } from '../testing/entry-model.ts'
import type { ModelEntry } from '../testing/entry-model.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { writeTable } from '../testing/table-bench.ts'
import { numberedEntries } from '../testing/entry-model.ts'
import { BlockCache } from './block-cache.ts'
import { BlockFetch } from './block-fetch.ts'
import { rowTableFormat } from './row-format.ts'
import { resolveRowTableSettings } from './row-settings.ts'
import { RunCursor } from './run-cursor.ts'
import type { RunTable } from './run-cursor.ts'
import { TableCache } from './table-cache.ts'

const hash = await loadHash()

/** A file store with few descriptors. */
class ScarceFiles extends MemoryFileStore {
  openCount = 0
  openMax = Infinity

  override async open(ref: FileRef): Promise<FileReader> {
    this.#take()
    return this.#counted(await super.open(ref))
  }

  override openSync(ref: FileRef): FileReader {
    this.#take()
    return this.#counted(super.openSync(ref))
  }

  #take(): void {
    if (this.openCount >= this.openMax) throw new VarveError('OUT_OF_FILES', 'no descriptor left')
    this.openCount++
  }

  #counted(file: FileReader): FileReader {
    let open = true
    return {
      ref: file.ref,
      read: async (offset, length) => await file.read(offset, length),
      readSync: (offset, length) => file.readSync(offset, length),
      readNow: () => undefined,
      close: async () => {
        if (open) this.openCount--
        open = false
        await file.close()
      },
    }
  }
}

interface Bench {
  readonly files: ScarceFiles
  readonly tables: TableCache
  readonly cache: BlockCache
  readonly run: readonly RunTable[]
  readonly entries: readonly ModelEntry[]
}

/** A run of tables a, b, c, … with numbered keys. */
async function benchOf(tableCount: number, openFilesMax: number): Promise<Bench> {
  const files = new ScarceFiles({ hash })
  const cache = new BlockCache({ cacheBytes: 20_000 })
  const tables = new TableCache(files, { order: BYTEWISE, hash, cache }, { openFilesMax })
  const run: RunTable[] = []
  const entries: ModelEntry[] = []
  for (let number = 0; number < tableCount; number++) {
    const name = String.fromCharCode(0x61 + number)
    const own = numberedEntries(name, 60, 20)
    const { ref, properties } = await writeTable(files, rowTableFormat, hash, {
      name,
      entries: own,
      settings: { blockBytes: 300 },
    })
    entries.push(...own)
    const { keyFirst, keyLast } = properties
    run.push({ keyFirst, keyLast, source: tables.handle(ref, rowTableFormat) })
  }
  return { files, tables, cache, run, entries }
}

async function get({ run }: Bench, table: number, key: Uint8Array, fetch: BlockFetch): Promise<boolean> {
  const source = (run[table] as RunTable).source
  for (let fills = 0; ; fills++) {
    const reader = source.reader(fetch)
    const answer =
      reader === PENDING ? PENDING : reader.get(key, hashKey(key, 0, key.length, 0), SEQNO_MAX, emptyFound(), fetch)
    if (answer !== PENDING) return answer
    assert.ok(fills < 8, 'a lookup ends, however few files may be open')
    await fetch.fill()
  }
}

test('tables are opened when asked for, once, and stay open up to the limit', async () => {
  const bench = await benchOf(6, 3)
  const fetch = new BlockFetch()
  assert.equal(bench.files.openCount, 0, 'a handle opens nothing')
  for (let round = 0; round < 3; round++) {
    for (const [number, { keyFirst }] of bench.run.entries()) {
      assert.equal(await get(bench, number, keyFirst, fetch), true)
      fetch.clear()
      assert.ok(bench.files.openCount <= 3)
    }
  }
  assert.equal(await get(bench, 0, Uint8Array.of(1), fetch), false)
  fetch.clear()
  assert.equal(bench.tables.statistics.openCount, bench.files.openCount)
  await bench.tables.close()
  assert.deepEqual(
    [bench.files.openCount, bench.cache.statistics.blockCount, bench.cache.statistics.pinnedBytes],
    [0, 0, 0],
  )
})

test('concurrent lookups of more tables than may be open all end', async () => {
  const bench = await benchOf(8, 1)
  const lookups = Array.from({ length: 40 }, async (_, index) => {
    const fetch = new BlockFetch()
    const number = (index * 5) % 8
    assert.equal(await get(bench, number, (bench.run[number] as RunTable).keyLast, fetch), true)
    fetch.clear()
  })
  await Promise.all(lookups)
  const fetch = new BlockFetch()
  assert.equal(await get(bench, 0, (bench.run[0] as RunTable).keyLast, fetch), true)
  fetch.clear()
  await bench.tables.close()
  assert.equal(bench.files.openCount, 0, 'every file that was opened has been closed')
})

test('without a descriptor left idle tables are closed; with none idle the error is passed on', async () => {
  const bench = await benchOf(5, 100)
  const fetch = new BlockFetch()
  bench.files.openMax = 2
  for (const [number, { keyFirst }] of bench.run.entries()) {
    assert.equal(await get(bench, number, keyFirst, fetch), true)
    fetch.clear()
  }
  assert.ok(bench.tables.statistics.evictions >= 3)
  bench.files.openMax = 0
  const idle = new BlockFetch()
  await assert.rejects(get(bench, 0, Uint8Array.of(0x61), idle), (error) => isCode(error, 'OUT_OF_FILES'))
  bench.files.openMax = 9
  assert.equal(await get(bench, 0, Uint8Array.of(0x61), idle), false, 'and it succeeds later')
  idle.clear()
  await bench.tables.close()
})

test('a forgotten file is closed and its blocks dropped; whoever still asks is told', async () => {
  const bench = await benchOf(2, 10)
  const fetch = new BlockFetch()
  await get(bench, 0, (bench.run[0] as RunTable).keyFirst, fetch)
  fetch.clear()
  const [info] = (await bench.files.list()).filter(({ name }) => name === 'a')
  assert.ok(info !== undefined)
  await bench.tables.forget(info.name)
  await bench.tables.forget(info.name)
  assert.deepEqual([bench.files.openCount, bench.cache.statistics.blockCount], [0, 0])
  await assert.rejects(get(bench, 0, Uint8Array.of(1), fetch), (error) => isCode(error, 'CLOSED'))
  await bench.tables.close()
})

test('a run is one sequence of entries in both directions, for every range, with one file open at a time', async () => {
  const bench = await benchOf(5, 1)
  const random = new SeededRandom(30)
  for (let round = 0; round < 80; round++) {
    const bound = (): Uint8Array => (bench.entries[random.below(bench.entries.length)] as ModelEntry).key
    const options = {
      range: {
        ...(random.once(4) ? {} : { lower: bound(), lowerOpen: random.once(2) }),
        ...(random.once(4) ? {} : { upper: bound(), upperOpen: random.once(2) }),
      },
      reverse: random.once(2),
      seqno: SEQNO_MAX,
      versions: 'newest',
    } as const
    const cursor = new RunCursor(bench.run, BYTEWISE, options, random.once(2) ? 'point' : 'stream')
    const seen = await drainCursor(cursor, 1 + random.below(100))
    assert.deepEqual(seen.map(describe), scanOf(bench.entries, BYTEWISE, options).map(describe))
    assert.ok(bench.files.openCount <= 1)
  }
  assert.equal(bench.tables.statistics.openCount, 1)
  await bench.tables.close()
})

test('a table a cursor is in stays open while others come and go', async () => {
  const bench = await benchOf(5, 1)
  const cursor = new RunCursor(bench.run.slice(0, 1), BYTEWISE, {
    range: {},
    reverse: false,
    seqno: SEQNO_MAX,
    versions: 'newest',
  })
  const batch = new EntryBatch(5)
  while (cursor.next(batch) === PENDING) await cursor.fill()
  const fetch = new BlockFetch()
  for (const [number, { keyFirst }] of bench.run.entries()) {
    await get(bench, number, keyFirst, fetch)
    fetch.clear()
  }
  const rest = await drainCursor(cursor)
  assert.equal(rest.length, 55)
  await bench.tables.close()
  assert.equal(bench.files.openCount, 0)
})

test('settings of tables, and ways of reading them that they have not, are refused by name', () => {
  assert.throws(() => resolveRowTableSettings({ codec: 'zip' }), {
    name: 'RangeError',
    message: /codec must be one of/,
  })
  assert.throws(() => resolveRowTableSettings({ blockBytes: '1' }), { name: 'TypeError', message: /blockBytes/ })
  assert.throws(() => resolveRowTableSettings({ blockBytes: 1 }), { name: 'RangeError', message: /blockBytes/ })
  assert.throws(() => resolveRowTableSettings({ blocks: 1 }), { name: 'TypeError', message: /blocks/ })
  const everything = { range: {}, reverse: true, seqno: SEQNO_MAX, versions: 'all' } as const
  assert.throws(() => new RunCursor([], BYTEWISE, everything), { name: 'TypeError', message: /versions: 'newest'/ })
  const cursor = new RunCursor([], BYTEWISE, { ...everything, versions: 'newest' })
  cursor.close()
  assert.throws(() => cursor.next(new EntryBatch(1)), { code: 'CLOSED' })
})
