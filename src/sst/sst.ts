/**
 * The table-format port: immutable sorted files.
 *
 * A format is named and versioned; the manifest records which one wrote each file, so that one shard mixes formats and
 * old ones keep opening. Formats for tables of ordered keys share the writer and reader below. An engine whose files are
 * something else brings its own: to the shard every file is opaque.
 *
 * Readers are synchronous over the bytes they have. For bytes they lack they note a request in the caller's `BlockFetch`
 * and answer PENDING, unchanged; `fill()` is the one bridge to I/O.
 */

import type { Cursor, CursorOptions, Pending } from '../kernel/cursor.ts'
import type { DecodeThread } from '../kernel/decode-thread.ts'
import type { EntryBatch } from '../kernel/entry-batch.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { RangeFragment } from '../kernel/fragment-list.ts'
import type { Found } from '../kernel/found.ts'
import type { Hash } from '../kernel/hash.ts'
import type { Seqno } from '../kernel/ids.ts'
import type { Lz4 } from '../kernel/lz4.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import type { RangeTombstones } from '../kernel/range-tombstone.ts'
import type { FileReader, FileWriter } from '../fs/fs.ts'
import type { BlockCache } from './block-cache.ts'
import type { BlockFetch } from './block-fetch.ts'

/** How tables are written and read. Immutable; one object a format. */
export interface TableFormat {
  /** Recorded with every file. */
  readonly name: string
  /** The one that `writer` writes. */
  readonly version: number
  /** The oldest version that `reader` reads; it reads all from there to `version`, which is the one that is written. */
  readonly versionFirst: number
  /** Starts a table in `sink`, which the writer then owns. @throws {RangeError} settings out of range */
  writer(sink: FileWriter, options: TableWriterOptions): TableWriter
  /** A reader over `file`, which it then owns. Reads nothing yet. */
  reader(file: FileReader, options: TableReaderOptions): TableReader
}

/** What a table is written with. */
export interface TableWriterOptions {
  /** The order in which entries come; its name is stored. */
  readonly order: KeyOrder
  /** Checksums of blocks and of keys. */
  readonly hash: Hash
  /** Compresses blocks into memory at hand. Default: `lz4-napi`, which makes a buffer for each. */
  readonly lz4?: Lz4 | undefined
  /** JSON-able, the format's own; unknown names are a TypeError. */
  readonly settings?: Readonly<Record<string, unknown>>
}

/** What a table is read with, shared by all of an engine's. */
export interface TableReaderOptions {
  /** Must have the name that the table has stored; else INCOMPATIBLE. */
  readonly order: KeyOrder
  /** The same as the writer's. */
  readonly hash: Hash
  /** Where decoded blocks are kept. */
  readonly cache: BlockCache
  /** Decodes blocks into memory that the cache hands out. Default: `lz4-napi`, which makes a buffer for each. */
  readonly lz4?: Lz4 | undefined
  /** Decodes blocks beside those that were missed. Default: blocks are decoded when they are asked for. */
  readonly decoding?: DecodeThread | undefined
}

/** A table that is being written. One caller at a time; whoever began it calls `finish` or `abort`. */
export interface TableWriter {
  /**
   * Appends entries [start, limit) of `batch`: ascending keys, newest first within a key, each seqno once. Synchronous;
   * finished blocks wait in memory until `drain()`.
   */
  append(batch: EntryBatch, start: number, limit: number): void
  /**
   * Adds range tombstones: fragments in ascending order, none overlapping the one before. When, beside the entries, does
   * not matter. The fragment is kept, not copied.
   */
  appendRange(fragment: RangeFragment): void
  /** Entries so far. */
  readonly entryCount: number
  /** Bytes of finished blocks so far: what the file will have at least. */
  readonly bytes: number
  /** Bytes of finished blocks that wait for `drain()`. */
  readonly pendingBytes: number
  /** Hands finished blocks to the sink. */
  drain(): Promise<void>
  /** Ends the table; at least one entry or range tombstone has been appended. The file is durable when this resolves. */
  finish(): Promise<TableSummary>
  /** Discards the table and aborts the sink. Idempotent. */
  abort(): Promise<void>
}

/** A table that was written. */
export interface TableSummary {
  /** To open it by. */
  readonly ref: FileRef
  /** As they are stored in it. */
  readonly properties: TableProperties
}

/** What a table knows about itself; stored in it. */
export interface TableProperties {
  /** Versions and deletions included. */
  readonly entryCount: number
  /** Those that delete one key. */
  readonly deleteCount: number
  /** Key bytes of all entries, as given. */
  readonly keyBytes: number
  /** Value bytes of all entries, as given. */
  readonly valueBytes: number
  /** Range tombstones: one for each seqno of each fragment. */
  readonly rangeCount: number
  /** Of the oldest entry or range tombstone. */
  readonly seqnoFirst: Seqno
  /** Of the newest entry or range tombstone. */
  readonly seqnoLast: Seqno
  /** Of the entries; empty, like `keyLast`, where there are none. */
  readonly keyFirst: Uint8Array
  /** See `keyFirst`. */
  readonly keyLast: Uint8Array
  /** Name of the key order. */
  readonly order: string
}

/** An open table. Synchronous where nothing else is said; calls may overlap. Whoever opened it closes it. */
export interface TableReader {
  /** The file that it reads. */
  readonly ref: FileRef
  /**
   * The newest entry of `key` at or below `seqno`: true when `into` has it, false when there is none. A range tombstone
   * is a deletion of every key it covers, with its own seqno.
   *
   * @param keyHash `hashKey(key, 0, key.length, 0)`, shared by all tables a lookup asks
   * @throws {VarveError} TABLE_CORRUPT
   */
  get(key: Uint8Array, keyHash: number, seqno: Seqno, into: Found, fetch: BlockFetch): boolean | Pending
  /** Entries in order, also those that a range tombstone covers. Cursors of `intent: 'stream'` do not push others out of the cache and read ahead. */
  cursor(options: CursorOptions, intent?: 'point' | 'stream'): Cursor
  /**
   * What the table says of itself; PENDING where that has not been read yet. @throws {VarveError} TABLE_CORRUPT,
   * INCOMPATIBLE
   */
  properties(fetch: BlockFetch): TableProperties | Pending
  /** Good for as long as it is held, whatever becomes of the reader. */
  rangeTombstones(fetch: BlockFetch): RangeTombstones | Pending
  /** File bytes that hold the keys in `range`, to about a block. */
  approximateBytes(range: KeyRange, fetch: BlockFetch): number | Pending
  /**
   * Reads every byte and checks it: `bytes`, the whole file against `ref.checksum` and every block's checksum;
   * `structure`, also that keys ascend, that index, filter and properties agree with entries and
   * range tombstones.
   *
   * @throws {VarveError} TABLE_CORRUPT, FILE_MISSING
   */
  verify(level: 'bytes' | 'structure', signal?: AbortSignal): Promise<void>
  /** Idempotent. Closes the file once reads in flight are done; blocks in the cache are given up. */
  close(): Promise<void>
}
