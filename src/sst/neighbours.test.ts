import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { DecodeTasks } from '../kernel/decode-tasks.ts'
import type { DecodeThread } from '../kernel/decode-thread.ts'
import { PENDING } from '../kernel/cursor.ts'
import { VarveError } from '../kernel/errors.ts'
import { emptyFound } from '../kernel/found.ts'
import { hashKey, loadHash } from '../kernel/hash.ts'
import { SEQNO_MAX, fileName } from '../kernel/ids.ts'
import type { FileReader } from '../fs/fs.ts'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { batchesOf, numberedEntries } from '../testing/entry-model.ts'
import { BlockCache } from './block-cache.ts'
import { decodePacked } from './block-codec.ts'
import { BlockFetch } from './block-fetch.ts'
import { rowTableFormat } from './row-format.ts'
import { RowTableReader } from './row-reader.ts'

const KEYS = 4000
const MISSES_BEFORE = 64
const GROUP_BLOCKS = 32
const entries = numberedEntries('key', KEYS, 40)

/** Decodes when it is polled, and knows no checksum: that of the task is looked at by the test of the addon. */
class ScriptedThread implements DecodeThread {
  readonly begun: (() => void)[] = []
  /** Blocks whose bytes it says are damaged. */
  damages = 0
  polls = true

  room(length: number): Uint8Array {
    return new Uint8Array(length)
  }

  begin(stored: Uint8Array, memory: Uint8Array, tasks: DecodeTasks, done: () => void): void {
    this.begun.push(() => {
      const words = new Uint32Array(tasks.bytes.buffer)
      for (let at = 0; at < words.length; at += 10) {
        const [start = 0, length = 0, blockStart = 0, blockLength = 0] = words.subarray(at, at + 4)
        const place = { file: 'a.table', part: 'block', offset: start } as const
        memory.set(decodePacked('lz4', stored.subarray(start, start + length), blockLength, place), blockStart)
        words[at + 8] = this.damages-- > 0 ? 0 : 1
      }
      done()
    })
  }

  poll(): void {
    if (this.polls) for (const each of this.begun.splice(0)) each()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** A table of some two hundred blocks, its reader, and how to get a key of it. */
async function open(
  cacheBytes: number,
  readNow = true,
  through: (file: FileReader) => FileReader = (file) => file,
): Promise<Opened> {
  const hash = await loadHash()
  const files = new MemoryFileStore({ hash, readNow })
  const options = { order: BYTEWISE, hash }
  const settings = { blockBytes: 1024 }
  const writer = rowTableFormat.writer(await files.create(fileName('a.table')), { ...options, settings })
  for (const batch of batchesOf(entries, 500)) writer.append(batch, 0, batch.count)
  const { ref } = await writer.finish()
  const [cache, thread] = [new BlockCache({ cacheBytes }), new ScriptedThread()]
  const reader = rowTableFormat.reader(through(await files.open(ref)), { ...options, cache, decoding: thread })
  assert.ok(reader instanceof RowTableReader)
  await reader.load()
  const fetch = new BlockFetch()
  const get = (number: number): void => {
    const { key, value } = entries[number] as (typeof entries)[number]
    const found = emptyFound()
    const ask = (): boolean | symbol => reader.get(key, hashKey(key, 0, key.length, 0), SEQNO_MAX, found, fetch)
    let answer = ask()
    for (; answer === PENDING; answer = ask()) fetch.fillSync()
    assert.equal(answer, true)
    fetch.clear()
    const { block, valueStart, valueLength } = found
    assert.deepEqual(block.slice(valueStart, valueStart + valueLength), Uint8Array.from(value))
  }
  const blockCount = reader.meta?.index.blockCount ?? 0
  assert.ok(blockCount > 150 && blockCount < 500, String(blockCount))
  return { reader, cache, thread, get, blockCount, blockOf: (number) => Math.floor((number * blockCount) / KEYS) }
}

interface Opened {
  readonly reader: RowTableReader
  readonly cache: BlockCache
  readonly thread: ScriptedThread
  readonly get: (number: number) => void
  readonly blockCount: number
  /** About where a key is. */
  readonly blockOf: (number: number) => number
}

/** Gets one key of every block, and gives how often one was not in the cache. */
function missesOf({ get, cache, blockCount }: Opened): number {
  const before = cache.statistics.misses
  for (let block = 0; block < blockCount; block++) get(Math.floor(((block + 0.5) * KEYS) / blockCount))
  return cache.statistics.misses - before
}

const MISS = { key: 5 }
/** As many misses of one block as it takes. */
function missOften({ reader, cache, get }: Opened, count: number): void {
  for (let miss = 0; miss < count; miss++) {
    const block = reader.blocks.cached(0, false)
    if (block !== undefined) {
      cache.remove(block)
      reader.blocks.evicted(0)
    }
    get(MISS.key)
  }
}

test('who has missed some blocks finds those beside the next in the cache, each decoded once', async () => {
  const opened = await open(4_000_000)
  const misses = missesOf(opened)
  assert.ok(misses > MISSES_BEFORE && misses < MISSES_BEFORE + opened.blockCount / 8, `${misses} misses`)
  assert.equal(missesOf(opened), 0)
  assert.equal(opened.cache.statistics.blockCount, opened.blockCount)
  for (let number = 0; number < KEYS; number++) opened.get(number)
})

test('a few misses bring no neighbours, and a group is asked for once', async () => {
  const opened = await open(4_000_000)
  missOften(opened, MISSES_BEFORE - 1)
  assert.equal(opened.thread.begun.length, 0)
  opened.thread.polls = false
  missOften(opened, 3)
  assert.equal(opened.thread.begun.length, 1)
  opened.thread.polls = true
  missOften(opened, 1)
  assert.equal(opened.cache.statistics.blockCount, GROUP_BLOCKS)
})

test('no neighbours where the cache has no room for them, or the system does not say what it has in memory', async () => {
  for (const [cacheBytes, readNow] of [
    [60_000, true],
    [0, true],
    [4_000_000, false],
  ] as const) {
    const opened = await open(cacheBytes, readNow)
    missOften(opened, MISSES_BEFORE * 2)
    assert.equal(opened.thread.begun.length, 0)
    assert.ok(opened.cache.statistics.blockBytes <= cacheBytes)
  }
})

test('what the thread could not decode is loaded when it is asked for', async () => {
  const opened = await open(4_000_000)
  missOften(opened, MISSES_BEFORE)
  opened.thread.damages = GROUP_BLOCKS
  missOften(opened, 1)
  assert.equal(opened.cache.statistics.blockCount, 1)
  for (let number = 0; number < KEYS; number++) opened.get(number)
})

test('neighbours of a table that is closed, or loaded meanwhile, or for which room has gone, are dropped', async () => {
  const closed = await open(4_000_000)
  missOften(closed, MISSES_BEFORE)
  await closed.reader.close()
  closed.thread.poll()
  assert.equal(closed.cache.statistics.blockCount, 0)

  const meanwhile = await open(4_000_000)
  meanwhile.thread.polls = false
  missOften(meanwhile, MISSES_BEFORE)
  const kept = [1, 2, 3].map((block) => Math.floor(((block + 0.5) * KEYS) / meanwhile.blockCount))
  for (const number of kept) meanwhile.get(number)
  const before = meanwhile.reader.blocks.cached(2, false)
  meanwhile.thread.polls = true
  meanwhile.thread.poll()
  assert.equal(meanwhile.reader.blocks.cached(2, false), before)
  assert.equal(meanwhile.cache.statistics.blockCount, GROUP_BLOCKS)

  const full = await open(200_000)
  missOften(full, MISSES_BEFORE)
  full.cache.pin(190_000)
  full.thread.poll()
  assert.ok(full.cache.statistics.blockBytes <= 10_000, String(full.cache.statistics.blockBytes))
})

test('neighbours that cannot be read fail nobody who asked for another block', async () => {
  let tried = 0
  const opened = await open(4_000_000, true, (file) => ({
    ref: file.ref,
    read: (offset, length, options) => file.read(offset, length, options),
    readSync: (offset, length) => file.readSync(offset, length),
    readNow: (offset, length) => {
      if (length < 8 * 1024) return file.readNow(offset, length)
      tried++
      throw new VarveError('FILE_MISSING', 'a.table ends before that')
    },
    close: () => file.close(),
  }))
  missOften(opened, MISSES_BEFORE * 2)
  assert.equal(tried, 1)
  assert.equal(opened.cache.statistics.blockCount, 1)
})
