/**
 * The key-value engine: ordered byte keys, snapshots, scans both ways.
 *
 * `KvShard` is what `openKv` gives. Keys and values are byte strings; what is handed in is only borrowed for the call,
 * until it returns, and what is handed out is the caller's: Buffers, of which small ones share an ArrayBuffer that cannot be
 * transferred.
 */

import type { Seqno } from '../../kernel/ids.ts'
import type { Durability } from '../../journal/journal.ts'
import type { ShardOpenOptions } from '../../shard/shard.ts'
import type { ShardSettings } from '../../shard/settings.ts'
import type { ShardStatistics } from '../../shard/statistics.ts'
import type { BlockCacheStatistics } from '../../sst/block-cache.ts'
import type { EntryCacheStatistics } from './entry-cache.ts'
import type { KvSettings } from './settings.ts'
import type { NamedOrder } from './named-order.ts'

/** How a shard is opened. Unknown names are a TypeError. */
export interface KvOpenOptions extends Omit<ShardOpenOptions, 'settings'> {
  /** Of the engine and of the shard. Default, each: that of `KV_DEFAULTS` and `SHARD_DEFAULTS`. */
  readonly settings?: Partial<KvSettings & ShardSettings>
  /** Another order of keys; recorded, and the same must be given ever after. Default: bytewise. */
  readonly order?: NamedOrder
}

/** Of every write. */
export interface WriteOptions {
  /** Default `written`. What the journal does not offer rejects with UNSUPPORTED, and nothing is written. */
  readonly durability?: Durability
}

/** Of every read. */
export interface ReadOptions {
  /** Reads as of this snapshot instead of now. */
  readonly snapshot?: KvSnapshot
  /** Gives up waiting, with ABORTED; what has been answered already stays answered. Default: nobody does. */
  readonly signal?: AbortSignal
}

/** Of reads that know where they stand. */
export interface GetOptions extends ReadOptions {
  /**
   * Answers only once the journal has said that nobody else had taken the shard when it was read: linearizable, where a
   * read is otherwise as of what this owner knows. Costs a barrier of the journal. Default false.
   */
  readonly fresh?: boolean
}

/** Of reads that do not wait. */
export interface SyncReadOptions {
  /** Reads as of this snapshot instead of now. */
  readonly snapshot?: KvSnapshot
  /** `false`: throw WOULD_BLOCK rather than read a file on this thread. Default true. */
  readonly mayBlock?: boolean
}

/** How thoroughly, and for how long. */
export interface VerifyOptions {
  /** `bytes`: every checksum; `structure`: also that what is stored is what the format promises. Default `structure`. */
  readonly level?: 'bytes' | 'structure'
  /** Ends it with ABORTED when the next table is asked for, or while one is read. Default: nobody does. */
  readonly signal?: AbortSignal
}

/** One operation of a batch. */
export type KvOperation = KvKeyOperation | KvRangeDeletion

/** One operation on one key; its bytes are borrowed for the call. */
export type KvKeyOperation =
  /** Puts `value` in the place of what `key` had. */
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array }

/** Deletes every key of a range; without bounds, all. Where bounds are named, one at least must have a value. */
export interface KvRangeDeletion extends KvRange {
  readonly type: 'deleteRange'
}

/** One entry of a scan: both byte strings are the caller's, to change and to keep. */
export interface KvEntry {
  /** Empty where the scan was asked for no keys. */
  readonly key: Uint8Array
  /** Empty where the scan was asked for no values. */
  readonly value: Uint8Array
}

/** Bounds of a scan or of what is deleted. At most one of `gt` and `gte`, one of `lt` and `lte`; `prefix` narrows further. */
export interface KvRange {
  /** Only keys behind this one. At most one of `gt` and `gte`. */
  readonly gt?: Uint8Array
  /** Only this key and those behind it. */
  readonly gte?: Uint8Array
  /** Only keys in front of this one. At most one of `lt` and `lte`. */
  readonly lt?: Uint8Array
  /** Only this key and those in front of it. */
  readonly lte?: Uint8Array
  /** Only keys that start with these bytes; bytewise order only. */
  readonly prefix?: Uint8Array
}

/** Which entries, in which direction, and how much of each. */
export interface ScanOptions extends KvRange, ReadOptions {
  /** Descending. Default false. */
  readonly reverse?: boolean
  /** Entries at most: a whole number from 0 on, or Infinity. Default: all. */
  readonly limit?: number
  /** `false` leaves keys empty, which saves copying them. Default true. */
  readonly keys?: boolean
  /** `false` leaves values empty. Default true. */
  readonly values?: boolean
}

/**
 * Entries in key order as of when the scan was made, whatever is written meanwhile.
 *
 * Close it, or iterate to the end: until then files and versions it may need are kept.
 */
export interface KvScan extends AsyncIterable<KvEntry> {
  /**
   * The next entries, at most `count`, and none after those that bring keys and values to `bytes`; fewer only where the
   * end is near or bytes are not at hand, none at the end.
   *
   * @param count 1 or more, or Infinity; default 1,000
   * @param bytes above 0; default 4 MiB
   * @throws {TypeError} {RangeError} a bad count or number of bytes; {TypeError} an earlier `next` has not settled
   * @throws {VarveError} CLOSED, ABORTED, TABLE_CORRUPT, FILE_MISSING, IO_FAILED
   */
  next(count?: number, bytes?: number): Promise<KvEntry[]>
  /** As `next`, without a promise. @throws {VarveError} WOULD_BLOCK — bytes are not at hand; and as `next` */
  nextSync(count?: number, bytes?: number): KvEntry[]
  /** Goes on at the first key at or after `key` (at or before, in reverse) that is inside the bounds. Keeps the limit. */
  seek(key: Uint8Array): void
  /**
   * Iterates in chunks, which costs less than one by one, and closes the scan at the end, by `break`, and where this throws.
   *
   * @param count as that of `next`
   * @throws {RangeError} a bad count; {VarveError} CLOSED — at once; what `next` rejects with — when a chunk is asked for
   */
  chunks(count?: number): AsyncIterable<KvEntry[]>
  /** Lets go of what it keeps: from then on `next` rejects with CLOSED. Idempotent. */
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

/** A moment in the life of the shard. Holds on to what it sees until closed. */
export interface KvSnapshot {
  /** Reads see operations up to here. */
  readonly seqno: Seqno
  /** Lets go of what it keeps: reads from it reject with CLOSED. Idempotent. */
  close(): void
  [Symbol.dispose](): void
}

/** What a shard can do, by what it was composed of. */
export interface KvSupport {
  /** `getSync` and `hasSync` answer whatever is asked. Without: what is in memory, and WOULD_BLOCK for the rest. */
  readonly syncRead: boolean
}

/** Of one shard, at one moment. Counts are since it was opened. */
export interface KvStatistics extends ShardStatistics {
  /** From level 0 on: files, entries (versions and deletions included) and bytes of each level. */
  readonly levels: readonly LevelStatistics[]
  /** Of the block cache, which several shards may share. */
  readonly cache: BlockCacheStatistics
  /** Copies of entries that are read often. */
  readonly entryCache: EntryCacheStatistics
}

/** What one level has. */
export interface LevelStatistics {
  /** 0 for tables as they were flushed; deeper levels are older. */
  readonly level: number
  /** Tables, without key columns. */
  readonly files: number
  /** Versions and deletions included. */
  readonly entries: number
  /** Of its tables, as they are stored, without key columns. */
  readonly bytes: number
}
