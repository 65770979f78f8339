/**
 * An abstract-level database over a key-value shard.
 *
 * abstract-level checks, encodes, defers until open, counts references and emits events; the methods that begin with an
 * underscore are its private interface and do storage only. Its types leave them out, hence no `override`.
 */

import type { AbstractIterator, AbstractKeyIterator, AbstractSnapshot, AbstractValueIterator } from 'abstract-level'
import type { Clock } from '../../kernel/clock.ts'
import { kindOf } from '../../kernel/kind-of.ts'
import { open } from '../../local.ts'
import { destroy } from '../../local-destroy.ts'
import { SystemClock } from '../../system-clock.ts'
import type { KvShard } from '../kv/kv-shard.ts'
import type { KvEntry, KvStatistics, WriteOptions } from '../kv/kv.ts'
import { clearRange } from './clear-range.ts'
import type { ClearOptions } from './clear-range.ts'
import { fromBytes, toBytes } from './encoded-data.ts'
import type { DataFormat, EncodedData } from './encoded-data.ts'
import { toKvRange } from './encoded-range.ts'
import type { EncodedRange } from './encoded-range.ts'
import { EntryReader, HIGH_WATER_MARK_BYTES } from './entry-reader.ts'
import { LevelBase } from './level-base.ts'
import { CopyingChainedBatch, toKvOperation } from './level-batch.ts'
import type { BatchOperation } from './level-batch.ts'
import { EntryIterator, KeyIterator, ValueIterator } from './level-iterators.ts'
import type { EncodedEntry } from './level-iterators.ts'
import { LevelError, toLevelError, toOpenError, withLevelErrors } from './level-error.ts'
import { resolveLevelOptions } from './level-options.ts'
import { LevelSnapshot } from './level-snapshot.ts'
import type { LevelOpenOptions, LevelOptions, LevelRangeOptions, LevelWriteOptions } from './level.ts'

interface ReadOptions {
  readonly valueEncoding: DataFormat
  readonly snapshot?: unknown
}

interface IteratorOptions extends EncodedRange {
  readonly reverse: boolean
  readonly keys?: boolean
  readonly values?: boolean
  readonly keyEncoding: DataFormat
  readonly valueEncoding: DataFormat
  readonly snapshot?: unknown
  readonly signal?: AbortSignal | null
  readonly highWaterMarkBytes?: number
}

const SYNCED: WriteOptions = Object.freeze({ durability: 'synced' })
const WRITTEN: WriteOptions = Object.freeze({ durability: 'written' })

/**
 * An ordered key-value database in a directory, for programs that know abstract-level.
 *
 * Reads are as of their call; writes resolve when the operating system has them, with `sync: true` when they survive a
 * power cut. Errors have abstract-level's codes.
 *
 * @typeParam KDefault keys, where an operation names no other encoding
 * @typeParam VDefault values, likewise
 */
export class VarveLevel<KDefault = string, VDefault = string> extends LevelBase<KDefault, VDefault> {
  readonly #location: string
  #shard: KvShard | undefined
  #clock: Clock = new SystemClock()
  // Puts of one turn share a promise: they share the one made of it, too.
  #write: Promise<void> | undefined
  #writeOutcome: Promise<void> | undefined

  /**
   * @param location path of the directory that holds, or will hold, the database and nothing else
   * @throws {TypeError} no location, or an option of the wrong type
   */
  constructor(location: string, options: LevelOptions<KDefault, VDefault> = {}) {
    checkLocation(location)
    resolveLevelOptions(options)
    super(
      {
        encodings: { buffer: true, view: true, utf8: true },
        has: true,
        getSync: options.openShard === undefined, // Of another composition it is known once that is open.
        createIfMissing: true,
        errorIfExists: true,
        explicitSnapshots: true,
        signals: { iterators: true },
        additionalMethods: { approximateSize: true, compactRange: true },
      },
      options,
    )
    this.#location = location
  }

  /**
   * Removes the database in `location`, and the directory if nothing else is in it. What varve did not make stays. There
   * is no error where there is no database.
   *
   * @throws {TypeError} no location
   * @throws {LevelError} LEVEL_LOCKED — a process has it open; LEVEL_IO_ERROR
   */
  static async destroy(location: string): Promise<void> {
    checkLocation(location)
    await withLevelErrors(destroy(location))
  }

  /** As it was given to the constructor. */
  get location(): string {
    return this.#location
  }

  /**
   * About how many stored bytes the keys from `start` (included) to `end` (excluded) take.
   *
   * @throws {LevelError} LEVEL_DATABASE_NOT_OPEN, LEVEL_CORRUPTION, LEVEL_IO_ERROR
   */
  approximateSize(start: KDefault, end: KDefault): Promise<number>
  approximateSize<K = KDefault>(start: K, end: K, options: LevelRangeOptions<K>): Promise<number>
  approximateSize(...range: readonly unknown[]): Promise<number> {
    return this.#overRange(range, (shard, start, end) => shard.approximateSize({ gte: start, lt: end }))
  }

  /**
   * Flushes, then rewrites the keys from `start` to `end` (both included), dropping what nobody can see any more.
   * Errors as `approximateSize`.
   */
  compactRange(start: KDefault, end: KDefault): Promise<void>
  compactRange<K = KDefault>(start: K, end: K, options: LevelRangeOptions<K>): Promise<void>
  compactRange(...range: readonly unknown[]): Promise<void> {
    return this.#overRange(range, (shard, start, end) => shard.compactRange({ gte: start, lte: end }))
  }

  /** What the engine counts: levels, cache, writes, jobs. @throws {LevelError} LEVEL_DATABASE_NOT_OPEN */
  statistics(): KvStatistics {
    return this.#openShard().statistics()
  }

  protected async _open(options: LevelOpenOptions): Promise<void> {
    const shardOptions = resolveLevelOptions(options)
    if (options.clock !== undefined) this.#clock = options.clock
    try {
      this.#shard = await (options.openShard ?? open)(this.#location, shardOptions)
    } catch (error) {
      throw toOpenError(error, this.#location)
    }
    Object.assign(this.supports, { getSync: this.#shard.supports.syncRead })
  }

  protected async _close(): Promise<void> {
    const shard = this.#shard
    // Whatever closing says, it has let go of everything: a second close has nothing to do.
    this.#shard = undefined
    if (shard !== undefined) await withLevelErrors(shard.close())
  }

  protected async _get(key: EncodedData, options: ReadOptions): Promise<EncodedData | undefined> {
    try {
      const value = await this.#openShard().get(toBytes(key), LevelSnapshot.in(options))
      return value === undefined ? undefined : fromBytes(value, options.valueEncoding)
    } catch (error) {
      throw toLevelError(error)
    }
  }

  protected _getSync(key: EncodedData, options: ReadOptions): EncodedData | undefined {
    try {
      const value = this.#openShard().getSync(toBytes(key), LevelSnapshot.in(options))
      return value === undefined ? undefined : fromBytes(value, options.valueEncoding)
    } catch (error) {
      throw toLevelError(error)
    }
  }

  protected async _getMany(keys: readonly EncodedData[], options: ReadOptions): Promise<(EncodedData | undefined)[]> {
    const reading = this.#openShard().getMany(keys.map(toBytes), LevelSnapshot.in(options))
    const values = await withLevelErrors(reading)
    return values.map((value) => (value === undefined ? undefined : fromBytes(value, options.valueEncoding)))
  }

  protected _has(key: EncodedData, options: ReadOptions): Promise<boolean> {
    return withLevelErrors(this.#openShard().has(toBytes(key), LevelSnapshot.in(options)))
  }

  protected _hasMany(keys: readonly EncodedData[], options: ReadOptions): Promise<boolean[]> {
    const shard = this.#openShard()
    const snapshot = LevelSnapshot.in(options)
    // All of them fix their moment in this turn, so it is the same.
    return withLevelErrors(Promise.all(keys.map((key) => shard.has(toBytes(key), snapshot))))
  }

  protected _put(key: EncodedData, value: EncodedData, options: LevelWriteOptions): Promise<void> {
    return this.#written(this.#openShard().put(toBytes(key), toBytes(value), durabilityOf(options)))
  }

  protected _del(key: EncodedData, options: LevelWriteOptions): Promise<void> {
    return this.#written(this.#openShard().delete(toBytes(key), durabilityOf(options)))
  }

  protected _batch(operations: readonly BatchOperation[], options: LevelWriteOptions): Promise<void> {
    return this.#written(this.#openShard().batch(operations.map(toKvOperation), durabilityOf(options)))
  }

  protected _chainedBatch(): CopyingChainedBatch {
    // oxlint-disable-next-line no-underscore-dangle -- as abstract-level's own does, so that subclasses see every batch
    return new CopyingChainedBatch(this, (operations, options) => this._batch(operations, options))
  }

  protected _clear(options: ClearOptions): Promise<void> {
    return withLevelErrors(clearRange(this.#openShard(), options))
  }

  protected _snapshot(options: object): AbstractSnapshot {
    return new LevelSnapshot(this.#openShard().snapshot(), options)
  }

  protected _iterator(options: IteratorOptions): AbstractIterator<this, KDefault, VDefault> {
    const { keyEncoding, valueEncoding, keys = true, values = true } = options
    const reader = this.#reader(options, keys, values, ({ key, value }): EncodedEntry => [
      keys ? fromBytes(key, keyEncoding) : undefined,
      values ? fromBytes(value, valueEncoding) : undefined,
    ])
    return new EntryIterator(this, options, reader) as unknown as AbstractIterator<this, KDefault, VDefault>
  }

  protected _keys(options: IteratorOptions): AbstractKeyIterator<this, KDefault> {
    const reader = this.#reader(options, true, false, ({ key }) => fromBytes(key, options.keyEncoding))
    return new KeyIterator(this, options, reader) as unknown as AbstractKeyIterator<this, KDefault>
  }

  protected _values(options: IteratorOptions): AbstractValueIterator<this, KDefault, VDefault> {
    const reader = this.#reader(options, false, true, ({ value }) => fromBytes(value, options.valueEncoding))
    return new ValueIterator(this, options, reader) as unknown as AbstractValueIterator<this, KDefault, VDefault>
  }

  #reader<Item>(
    options: IteratorOptions,
    keys: boolean,
    values: boolean,
    toItem: (entry: KvEntry) => Item,
  ): EntryReader<Item> {
    const { highWaterMarkBytes = HIGH_WATER_MARK_BYTES, reverse } = options
    if (typeof highWaterMarkBytes !== 'number' || !(highWaterMarkBytes >= 0))
      throw new TypeError(`highWaterMarkBytes must be 0 or more, got ${String(highWaterMarkBytes)}`)
    const range = toKvRange(options)
    const signal = options.signal ?? undefined
    // Without the limit: what is read ahead and then dropped by a seek does not count.
    const scan = this.#openShard().scan({
      ...range,
      ...LevelSnapshot.in(options),
      ...(signal === undefined ? {} : { signal }),
      reverse,
      keys,
      values,
    })
    return new EntryReader({ scan, range, toItem, highWaterMarkBytes, signal, clock: this.#clock })
  }

  async #overRange<T>(
    range: readonly unknown[],
    work: (shard: KvShard, start: Uint8Array, end: Uint8Array) => Promise<T>,
  ): Promise<T> {
    if (range.length < 2) throw new TypeError("The arguments 'start' and 'end' are required")
    if (this.status === 'opening') return this.deferAsync(() => this.#overRange(range, work))
    if (this.status !== 'open') throw notOpen()
    const shard = this.#openShard()
    const [start, end, options] = range as [KDefault, KDefault, LevelRangeOptions<KDefault> | undefined]
    const encoding = this.keyEncoding((options?.keyEncoding ?? undefined) as never)
    const bytesOf = (key: KDefault): Uint8Array => toBytes(encoding.encode(key as never))
    return withLevelErrors(work(shard, bytesOf(start), bytesOf(end)))
  }

  /** @throws {LevelError} LEVEL_DATABASE_NOT_OPEN */
  #openShard(): KvShard {
    if (this.#shard === undefined) throw notOpen()
    return this.#shard
  }

  #written(write: Promise<void>): Promise<void> {
    if (write !== this.#write || this.#writeOutcome === undefined) {
      this.#write = write
      this.#writeOutcome = withLevelErrors(write)
    }
    return this.#writeOutcome
  }
}

function notOpen(): LevelError {
  return new LevelError('LEVEL_DATABASE_NOT_OPEN', 'Database is not open')
}

function checkLocation(location: unknown): void {
  if (typeof location !== 'string' || location === '')
    throw new TypeError("The first argument 'location' must be a non-empty string")
}

function durabilityOf(options: LevelWriteOptions): WriteOptions {
  const sync: unknown = options.sync
  if (sync === undefined || sync === false) return WRITTEN
  if (sync !== true) throw new TypeError(`sync must be of type boolean, got ${kindOf(sync)}`)
  return SYNCED
}
