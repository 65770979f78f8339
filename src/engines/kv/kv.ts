/**
 * The key-value engine: ordered byte keys, snapshots, scans both ways.
 *
 * `KvShard` is what `openKv` gives. Keys and values are byte strings; what is handed in is only borrowed for the call,
 * until it returns, and what is handed out is the caller's: Buffers, of which small ones share an ArrayBuffer that cannot be
 * transferred.
 */

import type { Seqno } from '../../kernel/ids.ts'
import type { Durability } from '../../journal/journal.ts'
import type { ShardOpenOptions, ShardSettings, ShardStatistics } from '../../shard/shard.ts'
import type { BlockCacheStatistics } from '../../sst/block-cache.ts'
import type { EntryCacheStatistics } from './entry-cache.ts'
import type { KvSettings } from './settings.ts'
import type { NamedOrder } from './named-order.ts'

export interface KvOpenOptions extends Omit<ShardOpenOptions, 'settings'> {
  readonly settings?: Partial<KvSettings & ShardSettings>
  /** Another order of keys; recorded, and the same must be given ever after. Default: bytewise. */
  readonly order?: NamedOrder
}

export interface WriteOptions {
  /** Default `written`. What the journal does not offer rejects with UNSUPPORTED, and nothing is written. */
  readonly durability?: Durability
}

export interface ReadOptions {
  /** Reads as of this snapshot instead of now. */
  readonly snapshot?: KvSnapshot
  readonly signal?: AbortSignal
}

export interface GetOptions extends ReadOptions {
  /**
   * Answers only once the journal has said that nobody else had taken the shard when it was read: linearizable, where a
   * read is otherwise as of what this owner knows. Costs a barrier of the journal. Default false.
   */
  readonly fresh?: boolean
}

export interface SyncReadOptions {
  readonly snapshot?: KvSnapshot
  /** `false`: throw WOULD_BLOCK rather than read a file on this thread. Default true. */
  readonly mayBlock?: boolean
}

export interface VerifyOptions {
  /** `bytes`: every checksum; `structure`: also that what is stored is what the format promises. Default `structure`. */
  readonly level?: 'bytes' | 'structure'
  readonly signal?: AbortSignal
}

/** One operation of a batch. */
export type KvOperation = KvKeyOperation | KvRangeDeletion

export type KvKeyOperation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'delete'; readonly key: Uint8Array }

/** Deletes every key of a range; without bounds, all. Where bounds are named, one at least must have a value. */
export interface KvRangeDeletion extends KvRange {
  readonly type: 'deleteRange'
}

export interface KvEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Bounds of a scan or of what is deleted. At most one of `gt` and `gte`, one of `lt` and `lte`; `prefix` narrows further. */
export interface KvRange {
  readonly gt?: Uint8Array
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
  readonly lte?: Uint8Array
  /** Only keys that start with these bytes; bytewise order only. */
  readonly prefix?: Uint8Array
}

export interface ScanOptions extends KvRange, ReadOptions {
  /** Descending. Default false. */
  readonly reverse?: boolean
  /** Entries at most, a whole number or Infinity. Default: all. */
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
   * The next entries: at most `count`, and none after those that bring keys and values to `bytes` (default 4 MiB);
   * fewer only where the end is near or bytes are not at hand, none at the end.
   */
  next(count?: number, bytes?: number): Promise<KvEntry[]>
  /** Twin of `next`. @throws {VarveError} WOULD_BLOCK */
  nextSync(count?: number, bytes?: number): KvEntry[]
  /** Goes on at the first key at or after `key` (at or before, in reverse) that is inside the bounds. Keeps the limit. */
  seek(key: Uint8Array): void
  /** Iterates in chunks, which costs less than one by one. */
  chunks(count?: number): AsyncIterable<KvEntry[]>
  /** Idempotent. */
  close(): void
  [Symbol.asyncDispose](): Promise<void>
}

/** A moment in the life of the shard. Holds on to what it sees until closed. */
export interface KvSnapshot {
  readonly seqno: Seqno
  /** Idempotent. */
  close(): void
  [Symbol.dispose](): void
}

/** What a shard can do, by what it was composed of. */
export interface KvSupport {
  /** `getSync` and `hasSync` answer whatever is asked. Without: what is in memory, and WOULD_BLOCK for the rest. */
  readonly syncRead: boolean
}

export interface KvStatistics extends ShardStatistics {
  /** From level 0 on: files, entries (versions and deletions included) and bytes of each level. */
  readonly levels: readonly LevelStatistics[]
  readonly cache: BlockCacheStatistics
  /** Copies of entries that are read often. */
  readonly entryCache: EntryCacheStatistics
}

export interface LevelStatistics {
  readonly level: number
  readonly files: number
  readonly entries: number
  readonly bytes: number
}
