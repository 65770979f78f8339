/** What tables are read by: each part by itself, blocks compressed and not, whole tables, key columns. */

import { uncompressSync } from 'lz4-napi'
import { EntryBatch } from '../../src/kernel/entry-batch.ts'
import { emptyFound } from '../../src/kernel/found.ts'
import { PENDING } from '../../src/kernel/cursor.ts'
import { loadHash, hashKey } from '../../src/kernel/hash.ts'
import type { Hash } from '../../src/kernel/hash.ts'
import { SEQNO_MAX, fileName } from '../../src/kernel/ids.ts'
import { cutAfter, cutBefore } from '../../src/kernel/key-cut.ts'
import { BYTEWISE } from '../../src/kernel/key-order.ts'
import { MIB } from '../../src/kernel/limits.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { BlockCache } from '../../src/sst/block-cache.ts'
import { decodePacked, encodeStored } from '../../src/sst/block-codec.ts'
import { BlockPiece } from '../../src/sst/block-memory.ts'
import { BlockFetch } from '../../src/sst/block-fetch.ts'
import { alignedBytes } from '../../src/sst/columns.ts'
import {
  PART_BLOCK,
  PART_FILTER,
  PART_FOOTER,
  PART_INDEX,
  PART_PROPERTIES,
  PART_RANGES,
  fileIdentity,
  partSeed,
} from '../../src/sst/file-identity.ts'
import { RowBlock } from '../../src/sst/row-block.ts'
import { findInBlock } from '../../src/sst/row-block-search.ts'
import { copyEntries } from '../../src/sst/row-block-copy.ts'
import { RowFilter } from '../../src/sst/row-filter.ts'
import { encodeFooter, FOOTER_BYTES } from '../../src/sst/row-footer.ts'
import type { RowFooter } from '../../src/sst/row-footer.ts'
import { INDEX_HEADER_BYTES, RowIndex } from '../../src/sst/row-index.ts'
import { inspectRowBlock, inspectRowTable } from '../../src/sst/row-inspection.ts'
import { footerOf } from '../../src/sst/row-meta.ts'
import { rowTableFormat } from '../../src/sst/row-format.ts'
import { decodeProperties, encodeProperties } from '../../src/sst/row-properties.ts'
import { decodeRanges, encodeRanges } from '../../src/sst/row-ranges.ts'
import type { TableReader } from '../../src/sst/sst.ts'
import { batchesOf, drainCursor, numberedEntries, randomEntries, sortEntries } from '../../src/testing/entry-model.ts'
import type { ModelEntry } from '../../src/testing/entry-model.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { contentOf } from '../../src/testing/table-bench.ts'
import { codecTarget, errorOf } from './fuzz-target.ts'
import type { FuzzTarget } from './fuzz-target.ts'
import type { Pieces } from './mutation.ts'
import { keyColumnTargets } from './key-column-targets.ts'
import { storeFile } from './stored-file.ts'

const NAME = fileName('000001-table')
const PARTS = ['ranges', 'filter', 'index', 'properties'] as const
const PART_KINDS = [PART_RANGES, PART_FILTER, PART_INDEX, PART_PROPERTIES] as const
const EVERYTHING = { range: {}, seqno: SEQNO_MAX, versions: 'all' } as const
const owner = { evicted: (): void => undefined, ref: { name: NAME, bytes: 0, checksum: '0'.repeat(16) } }

interface TakenApart {
  /** Packed blocks behind their lengths, then ranges, filter, index, properties. */
  readonly pieces: Pieces
  /** Lengths of blocks in memory. */
  readonly lengths: readonly number[]
  readonly stored: readonly Uint8Array[]
  readonly footer: RowFooter
  readonly content: Uint8Array
}

export async function sstTargets(): Promise<readonly FuzzTarget[]> {
  const hash = await loadHash()
  const entries = sortEntries([...randomEntries(new SeededRandom(9), 40), ...numberedEntries('key/', 60, 30)], BYTEWISE)
  const tables = [await takeApart(entries, 'lz4', hash), await takeApart(entries.slice(0, 30), 'none', hash)]
  const part = (number: number): readonly Uint8Array[] =>
    tables.map(({ pieces }) => pieces.at(number - 4) as Uint8Array)
  return [
    footerTarget(tables[0] as TakenApart, hash),
    codecTarget({
      name: 'table ranges',
      specimens: part(0),
      decode: (bytes) => decodeRanges(bytes, BYTEWISE, { file: NAME, part: 'ranges', offset: 0 }).fragments,
      encode: encodeRanges,
    }),
    codecTarget({
      name: 'table filter',
      specimens: part(1),
      decode: (bytes) => {
        const filter = new RowFilter(alignedBytes(bytes, false), { file: NAME, part: 'filter', offset: 0 })
        for (let probe = 0; probe < 32; probe++) filter.mayContain(Math.imul(probe, 0x9e3779b1) >>> 0)
      },
    }),
    indexTarget(tables),
    codecTarget({
      name: 'table properties',
      specimens: part(3),
      decode: (bytes) => decodeProperties(bytes, { file: NAME, part: 'properties', offset: 0 }),
      encode: encodeProperties,
    }),
    blockTarget(tables),
    tableTarget(tables, hash),
    ...(await keyColumnTargets(entries, hash)),
  ]
}

async function takeApart(entries: readonly ModelEntry[], codec: 'lz4' | 'none', hash: Hash): Promise<TakenApart> {
  const files = new MemoryFileStore({ hash })
  const sink = await files.create(NAME)
  const writer = rowTableFormat.writer(sink, { order: BYTEWISE, hash, settings: { blockBytes: 256, codec } })
  for (const batch of batchesOf(entries, 50)) writer.append(batch, 0, batch.count)
  for (const letter of ['a', 'f', 'm', 'x']) {
    const [lower, upper] = [cutBefore(Buffer.from(`${letter}/1`)), cutAfter(Buffer.from(`${letter}/17`))]
    writer.appendRange({ lower, upper, seqnos: letter === 'f' ? [90, 40, 7] : [33] })
  }
  const { ref } = await writer.finish()
  const content = await contentOf(files, ref)
  const footer = footerOf(content, ref, hash)
  const parts = PARTS.map((name) => content.slice(footer[name].offset, footer[name].offset + footer[name].length))
  const index = new RowIndex(alignedBytes(parts[2] as Uint8Array, false), footer.ranges.offset, BYTEWISE, {
    file: NAME,
    part: 'index',
    offset: 0,
  })
  const stored = Array.from({ length: index.blockCount }, (_, number) =>
    content.slice(index.offsets[number], index.offsets[number + 1]),
  )
  const blocks = stored.map((bytes) => {
    const length = readU32(bytes)
    const packed = length === bytes.length - 4 ? bytes.subarray(4) : uncompressSync(bytes)
    return new Uint8Array(Buffer.concat([u32(length), packed]))
  })
  return { pieces: [...blocks, ...parts], lengths: [...index.decodedLengths], stored, footer, content }
}

function footerTarget({ content }: TakenApart, hash: Hash): FuzzTarget {
  const identity = fileIdentity(hash, NAME)
  const offset = content.length - FOOTER_BYTES
  const place = { file: NAME, part: 'footer', offset } as const
  return codecTarget({
    name: 'table footer',
    specimens: [content.slice(offset)],
    decode: (bytes) => footerOf(bytes, { name: NAME, bytes: offset + FOOTER_BYTES, checksum: '' }, hash),
    encode: (footer) => encodeFooter(footer, hash, identity, offset),
    seal: (bytes) => bytes.length === FOOTER_BYTES && sealFooter(bytes, identity, place.offset, hash),
  })
}

function sealFooter(bytes: Uint8Array, identity: bigint, offset: number, hash: Hash): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  view.setBigUint64(104, hash.hash64(bytes.subarray(0, 104), partSeed(identity, PART_FOOTER, offset)), true)
  const covered = Uint8Array.from([...bytes.subarray(112, 116), ...bytes.subarray(120, FOOTER_BYTES)])
  view.setUint32(116, hash.hash32(covered, Number(BigInt.asUintN(32, identity))), true)
}

function indexTarget(tables: readonly TakenApart[]): FuzzTarget {
  return {
    name: 'table index',
    specimens: tables.map(({ pieces, footer }) => [pieces.at(-2) as Uint8Array, u32(footer.ranges.offset)]),
    join: (pieces) => pieces,
    parse([bytes = new Uint8Array(0), dataBytes = new Uint8Array(0)]) {
      const index = new RowIndex(alignedBytes(bytes, false), readU32(dataBytes), BYTEWISE, {
        file: NAME,
        part: 'index',
        offset: 0,
      })
      for (const text of ['', 'key/000030', '\xff\xff']) {
        const [lower, upper] = [index.lowerBound(Buffer.from(text)), index.upperBound(Buffer.from(text))]
        if (lower < 0 || lower > upper || upper > index.blockCount) throw new Error('bounds outside of the index')
      }
      for (let block = 0; block < index.blockCount; block++) index.separatorAt(block)
    },
    // Separators are put together one by one; each may have the whole prefix in front.
    heapBytes: 2 * 1024 * 1024,
  }
}

/** The stored block and the length that the index says it has. */
function blockTarget(tables: readonly TakenApart[]): FuzzTarget {
  return {
    name: 'table block',
    specimens: tables.flatMap(({ stored, lengths }) =>
      stored.map((bytes, number) => [bytes, u32(lengths[number] as number)]),
    ),
    join: (pieces) => pieces,
    parse([stored = new Uint8Array(0), length = new Uint8Array(0)]) {
      const place = { file: NAME, part: 'block', offset: 0 } as const
      const decoded = decodePacked('lz4', stored, Math.min(readU32(length), MIB), place)
      const block = new RowBlock(decoded, new BlockPiece(decoded), owner, 0, place, true)
      const batch = new EntryBatch(16)
      for (let first = 0; first < block.count; first += 16) {
        batch.clear()
        copyEntries(block, first, Math.min(16, block.count - first), 1, batch)
      }
      for (const text of ['', 'key/000030', '\xff\xff']) findInBlock(block, Buffer.from(text), SEQNO_MAX)
    },
    // One block decoded, twice where it is not aligned: what is compressed decodes to at most a mebibyte.
    heapBytes: 3 * 1024 * 1024,
  }
}

/** A whole table, put together again around what was changed, every checksum and offset right. */
function tableTarget(tables: readonly TakenApart[], hash: Hash): FuzzTarget {
  const probes = ['key/000007', 'f/12', 'none', ''].map((text) => new Uint8Array(Buffer.from(text)))
  return {
    name: 'table',
    specimens: tables.map(({ pieces }) => pieces),
    join: (pieces, sealed) => [assemble(pieces, sealed, hash)],
    async parse([content = new Uint8Array(0)]) {
      const files = new MemoryFileStore({ hash })
      const ref = await storeFile(files, NAME, content)
      const reader = rowTableFormat.reader(await files.open(ref), { order: BYTEWISE, hash, cache: new BlockCache() })
      const outcomes = [
        () => drainCursor(reader.cursor({ ...EVERYTHING, reverse: false })),
        () => drainCursor(reader.cursor({ ...EVERYTHING, versions: 'newest', reverse: true })),
        ...probes.map((probe) => () => lookUp(reader, probe)),
        () => reader.verify('structure'),
        () => inspectAll(files, hash, ref),
      ]
      let damage: Error | undefined
      for (const outcome of outcomes) await outcome().catch((error: unknown) => (damage ??= errorOf(error)))
      await reader.close()
      if (damage !== undefined) throw damage
    },
    share: 60,
    // Several readings, and the entries of all of them.
    heapBytes: 16 * 1024 * 1024,
  }
}

async function lookUp(reader: TableReader, key: Uint8Array): Promise<boolean> {
  const fetch = new BlockFetch()
  const found = emptyFound()
  for (let rounds = 0; rounds < 1000; rounds++) {
    const answer = reader.get(key, hashKey(key, 0, key.length, 0), SEQNO_MAX, found, fetch)
    if (answer !== PENDING) return answer
    await fetch.fill()
  }
  throw new Error('a lookup that never ends')
}

async function inspectAll(files: MemoryFileStore, hash: Hash, ref: Parameters<MemoryFileStore['open']>[0]) {
  const file = await files.open(ref)
  const { index } = await inspectRowTable(file, hash)
  if ('damage' in index) throw index.damage
  for (let block = 0; block < index.found.blockCount; block++) {
    for await (const batch of inspectRowBlock(file, index.found, block, hash)) batch.keyAt(0)
  }
}

function assemble(pieces: Pieces, sealed: boolean, hash: Hash): Uint8Array {
  const identity = fileIdentity(hash, NAME)
  const blocks = pieces.slice(0, -PARTS.length)
  const parts = pieces.slice(-PARTS.length).map((bytes) => bytes.slice())
  const stored = blocks.map((block) => (block.length > 4 ? encodeStored('lz4', block) : block))
  if (sealed) sealIndex(parts[2] as Uint8Array, stored, identity, hash)
  let offset = stored.reduce((sum, bytes) => sum + bytes.length, 0)
  const handles = parts.map((bytes, number) => {
    const seed = partSeed(identity, PART_KINDS[number] as number, offset)
    const handle = { offset, length: bytes.length, checksum: hash.hash64(bytes, seed) }
    offset += bytes.length
    return handle
  })
  const [ranges, filter, index, properties] = handles as [never, never, never, never]
  const footer = encodeFooter({ ranges, filter, index, properties }, hash, identity, offset)
  return new Uint8Array(Buffer.concat([...stored, ...parts, footer]))
}

/** Writes what blocks there are into as much of the index as there is for them. */
function sealIndex(index: Uint8Array, stored: readonly Uint8Array[], identity: bigint, hash: Hash): void {
  const count = stored.length
  if (index.length < INDEX_HEADER_BYTES + count * 16) return
  const view = new DataView(index.buffer, index.byteOffset, index.length)
  let offset = 0
  for (const [number, bytes] of stored.entries()) {
    const seed = partSeed(identity, PART_BLOCK, offset)
    view.setBigUint64(INDEX_HEADER_BYTES + number * 8, hash.hash64(bytes, seed), true)
    view.setUint32(INDEX_HEADER_BYTES + count * 8 + number * 4, bytes.length, true)
    offset += bytes.length
  }
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

function readU32(bytes: Uint8Array): number {
  return Buffer.from([...bytes.subarray(0, 4), 0, 0, 0, 0]).readUInt32LE()
}
