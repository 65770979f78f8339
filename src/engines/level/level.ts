/**
 * `varve/level`: what a program that knows abstract-level meets.
 *
 * `VarveLevel` is an abstract-level database over the key-value engine. Options have the names that classic-level gave
 * them, where varve has what they set, so that one can take the other's place; varve's own settings are beside them.
 */

import type {
  AbstractBatchOptions,
  AbstractChainedBatch,
  AbstractDatabaseOptions,
  AbstractDelOptions,
  AbstractIteratorOptions,
  AbstractKeyIteratorOptions,
  AbstractOpenOptions,
  AbstractPutOptions,
  AbstractValueIteratorOptions,
} from 'abstract-level'
import type { Transcoder } from 'abstract-level'
import type { Clock } from '../../kernel/clock.ts'
import type { KvOpenOptions } from '../kv/kv.ts'
import type { KvShard } from '../kv/kv-shard.ts'

/** Opens the shard that a database stands on. */
export type OpenShard = (location: string, options: KvOpenOptions) => Promise<KvShard>

/** Options of `db.open()`, and of the constructor. What has no equivalent here is ignored; docs/level.md lists it. */
export interface LevelOpenOptions extends AbstractOpenOptions {
  /** Only read, beside a process that writes; writes fail with LEVEL_READONLY. Default false. */
  readonly readOnly?: boolean | undefined
  /** varve's own settings, by their own names (KV_DEFAULTS). They win over the names below. */
  readonly settings?: KvOpenOptions['settings'] | undefined
  /** Composes the shard otherwise than on the local disk, which is the default. */
  readonly openShard?: OpenShard | undefined
  /** Where long iterations get their pauses from. Default: the system's clock. */
  readonly clock?: Clock | undefined
  /** `cacheBytes`: memory for blocks, indexes and filters, in bytes. */
  readonly cacheSize?: number | undefined
  /** `memtableBytes`: size at which a memtable is written to a table file, in bytes. */
  readonly writeBufferSize?: number | undefined
  /** `blockBytes`: uncompressed size of a data block, in bytes. */
  readonly blockSize?: number | undefined
  /** `openFilesMax`: table files held open. */
  readonly maxOpenFiles?: number | undefined
  /** `tableBytes`: size at which a compaction starts another file, in bytes. */
  readonly maxFileSize?: number | undefined
  /** `compression`: true is LZ4, false is none. */
  readonly compression?: boolean | undefined
}

/** Options of the constructor. Those of `open` among them are its defaults. */
export interface LevelOptions<K, V> extends AbstractDatabaseOptions<K, V>, Omit<LevelOpenOptions, 'passive'> {}

/** Of writes, beside abstract-level's. */
export interface LevelWriteOptions {
  /** True: resolve only when the write survives a power cut. Default false: when the operating system has it. */
  readonly sync?: boolean | undefined
}

/** Of `db.put`. */
export interface LevelPutOptions<K, V> extends AbstractPutOptions<K, V>, LevelWriteOptions {}
/** Of `db.del`. */
export interface LevelDelOptions<K> extends AbstractDelOptions<K>, LevelWriteOptions {}
/** Of `db.batch` with an array. */
export interface LevelBatchOptions<K, V> extends AbstractBatchOptions<K, V>, LevelWriteOptions {}

/** A batch that is put together call by call: keys and values are copied when they are given. */
export interface LevelChainedBatch<TDatabase, K, V> extends AbstractChainedBatch<TDatabase, K, V> {
  /**
   * Commits what was put together, whole or not at all. A promise that rejects has the code that a `batch` would have
   * had.
   */
  write(options?: LevelWriteOptions): Promise<void>
}

/** How far iterators read ahead. */
export interface LevelReadAhead {
  /**
   * Once the keys and values that a read brings exceed this many bytes, it brings no more: bounds what `nextv()` returns
   * and what `next()` reads ahead. 0: one entry at a time. Default HIGH_WATER_MARK_BYTES.
   */
  readonly highWaterMarkBytes?: number | undefined
}

/** Of `db.iterator`. */
export type LevelIteratorOptions<K, V> = AbstractIteratorOptions<K, V> & LevelReadAhead
/** Of `db.keys`. */
export type LevelKeyIteratorOptions<K> = AbstractKeyIteratorOptions<K> & LevelReadAhead
/** Of `db.values`. */
export type LevelValueIteratorOptions<K, V> = AbstractValueIteratorOptions<K, V> & LevelReadAhead

/** Of `approximateSize` and `compactRange`. */
export interface LevelRangeOptions<K> {
  /** Encodes `start` and `end`. Default: the database's. */
  readonly keyEncoding?: string | Transcoder.PartialEncoder<K> | undefined
}
