import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryFileStore } from '../fs/memory-file-store.ts'
import { PENDING } from '../kernel/cursor.ts'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { ENTRY_PUT } from '../kernel/entry.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { isCode } from '../kernel/errors.ts'
import { hashKey, loadHash } from '../kernel/hash.ts'
import { SEQNO_MAX, fileName } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { KIB } from '../kernel/limits.ts'
import type { Lz4 } from '../kernel/lz4.ts'
import { BlockCache } from './block-cache.ts'
import { BlockFetch } from './block-fetch.ts'
import { rowTableFormat } from './row-format.ts'
import type { TableReader, TableSummary } from './sst.ts'

const SMALL = 100
/** More than a block, less than what has memory beside others. */
const MIDDLE = 9 * KIB
const LARGE = 16 * KIB
/** Larger than any piece of memory that blocks share. */
const HUGE = 40 * KIB
const SIZES = [LARGE, SMALL, SMALL, LARGE, MIDDLE, SMALL, HUGE, LARGE]
// Those of small entries: one of two neighbours, one of one.
const SMALL_BLOCK_COUNT = 2
const BLOCK_COUNT = 5 + SMALL_BLOCK_COUNT
const SETTLED = 1
const hash = await loadHash()
const files = new MemoryFileStore({ hash })
const options = { order: BYTEWISE, hash }
let tableCount = 0

const keyAt = (index: number): Uint8Array => Buffer.from(`key ${index}`)

/** Half of it compresses. */
function valueAt(index: number): Uint8Array {
  const value = new Uint8Array(SIZES[index] as number)
  let state = index + 1
  for (let at = 0; at < value.length / 2; at++) value[at] = (state = (state * 48_271) % 0x7fff_ffff) >>> 8
  return value
}

const seqnoAt = (index: number): number => 100 + index

function written(): EntryBatch {
  const batch = new EntryBatch()
  for (const index of SIZES.keys()) {
    const [key, value] = [keyAt(index), valueAt(index)]
    batch.keys.set(key, batch.reserveKey(key.length))
    batch.push(key.length, seqnoAt(index), ENTRY_PUT, batch.block(value), 0, value.length)
  }
  return batch
}

async function tableOf(
  batches: AsyncIterable<EntryBatch> | readonly EntryBatch[],
  settings: Readonly<Record<string, unknown>>,
  lz4?: Lz4,
): Promise<TableSummary> {
  const sink = await files.create(fileName(`${++tableCount}.table`))
  const writer = rowTableFormat.writer(sink, { ...options, settings, lz4 })
  for await (const batch of batches) writer.append(batch, 0, batch.count)
  return writer.finish()
}

async function readerOf(ref: FileRef, store = files): Promise<TableReader> {
  return rowTableFormat.reader(await store.open(ref), { ...options, cache: new BlockCache({ cacheBytes: 0 }) })
}

/** As a merge reads them; at the bottom entries get the lowest seqno. */
async function* merged(ref: FileRef, seqno?: number, store = files): AsyncGenerator<EntryBatch> {
  const reader = await readerOf(ref, store)
  const cursor = reader.cursor({ range: {}, reverse: false, seqno: SEQNO_MAX, versions: 'all' }, 'stream')
  const [batch, copies] = [new EntryBatch(), new EntryBatch()]
  for (;;) {
    const count = cursor.next(batch)
    if (count === 0) break
    if (count === PENDING) {
      await cursor.fill()
      continue
    }
    copies.clear()
    // What is between a cursor and a writer copies entries one by one, and in runs.
    copies.pushFrom(batch, 0)
    copies.pushRange(batch, 1, count)
    if (seqno !== undefined) copies.seqnos.fill(seqno, 0, count)
    yield copies
  }
  cursor.close()
  await reader.close()
}

/** What is told of every key: seqno and value. */
async function contentOf(ref: FileRef): Promise<readonly (readonly [number, Uint8Array])[]> {
  const reader = await readerOf(ref)
  await reader.verify('structure')
  const [found, fetch] = [[] as (readonly [number, Uint8Array])[], new BlockFetch()]
  for (const index of SIZES.keys()) {
    const key = keyAt(index)
    const entry = { kind: 0, seqno: 0, block: new Uint8Array(0), valueStart: 0, valueLength: 0, own: false }
    let answer = reader.get(key, hashKey(key, 0, key.length, 0), SEQNO_MAX, entry, fetch)
    while (answer === PENDING) {
      await fetch.fill()
      answer = reader.get(key, hashKey(key, 0, key.length, 0), SEQNO_MAX, entry, fetch)
    }
    assert.ok(answer, `key ${index}`)
    found.push([entry.seqno, entry.block.slice(entry.valueStart, entry.valueStart + entry.valueLength)])
  }
  fetch.clear()
  await reader.close()
  return found
}

/** Encodes nothing, and counts how often it was asked to. */
class Encodings implements Lz4 {
  count = 0

  encode(): number {
    this.count++
    return 0
  }

  decode(): boolean {
    return false
  }

  decodeRowBlock(): boolean {
    return false
  }
}

test('a merge writes large entries again as they are stored, and encodes the others', async () => {
  const encodings = new Encodings()
  const first = await tableOf([written()], {}, encodings)
  assert.equal(encodings.count, BLOCK_COUNT)
  encodings.count = 0
  const second = await tableOf(merged(first.ref), {}, encodings)
  assert.equal(encodings.count, SMALL_BLOCK_COUNT)
  assert.deepEqual(second.properties, first.properties)
  assert.equal(second.ref.bytes, first.ref.bytes)
  const content = await contentOf(second.ref)
  assert.deepEqual(
    content,
    [...SIZES.keys()].map((index) => [seqnoAt(index), valueAt(index)]),
  )
})

test('entries that are written again as they are stored keep their seqnos, where others get lower ones', async () => {
  const first = await tableOf([written()], {})
  const second = await tableOf(merged(first.ref, SETTLED), {})
  const expected = SIZES.map((size, index) => [size === SMALL ? SETTLED : seqnoAt(index), valueAt(index)])
  assert.deepEqual(await contentOf(second.ref), expected)
  const { seqnoFirst, seqnoLast } = second.properties
  assert.deepEqual([seqnoFirst, seqnoLast], [SETTLED, seqnoAt(SIZES.length - 1)])
  // And once more, from blocks that were written in that way.
  const third = await tableOf(merged(second.ref, SETTLED), {})
  assert.deepEqual(await contentOf(third.ref), expected)
  assert.equal(third.ref.bytes, second.ref.bytes)
})

test('a table that is compressed otherwise, or has larger blocks, takes no block of another', async () => {
  const first = await tableOf([written()], {})
  for (const settings of [{ codec: 'none' }, { blockBytes: 64 * KIB }, { codec: 'none', blockBytes: 64 * KIB }]) {
    const direct = await tableOf([written()], settings)
    const second = await tableOf(merged(first.ref), settings)
    assert.equal(second.ref.bytes, direct.ref.bytes, JSON.stringify(settings))
    assert.deepEqual(await contentOf(second.ref), await contentOf(direct.ref))
  }
})

test('a damaged block is not written again', async () => {
  const first = await tableOf([written()], {})
  const reader = await files.open(first.ref)
  const bytes = Buffer.from(await reader.read(0, first.ref.bytes))
  await reader.close()
  bytes.writeUInt8(bytes.readUInt8(LARGE / 4) ^ 1, LARGE / 4)
  // Under the same name, which checksums know.
  const store = new MemoryFileStore({ hash })
  const sink = await store.create(first.ref.name)
  await sink.write(bytes)
  const ref = await sink.finish()
  await assert.rejects(tableOf(merged(ref, undefined, store), {}), (error) => isCode(error, 'TABLE_CORRUPT'))
})
