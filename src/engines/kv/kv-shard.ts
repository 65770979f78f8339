/** An open key-value shard: the public operations, over the generic shard. */

import { closeEach } from '../../kernel/close-each.ts'
import { PENDING } from '../../kernel/cursor.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import type { EntryKind } from '../../kernel/entry.ts'
import { VarveError } from '../../kernel/errors.ts'
import { shardId } from '../../kernel/ids.ts'
import type { Seqno } from '../../kernel/ids.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { isEmptyRange } from '../../kernel/key-range.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import type { Durability } from '../../journal/journal.ts'
import type { CheckpointTarget, Purpose, Shard } from '../../shard/shard.ts'
import { detachShard, mergeShards, splitShard } from './arrangement.ts'
import type { Arranged } from './arrangement.ts'
import { CopyOut } from './copy-out.ts'
import { durabilityOf, toOperations, toRangeDeletion } from './entry-operations.ts'
import { toKeyRange } from './key-bounds.ts'
import type {
  GetOptions,
  KvOperation,
  KvRange,
  KvScan,
  KvSnapshot,
  KvStatistics,
  KvSupport,
  ReadOptions,
  ScanOptions,
  SyncReadOptions,
  VerifyOptions,
  WriteOptions,
} from './kv.ts'
import { openColumns } from './key-columns.ts'
import type { TableKeyColumn } from './key-columns.ts'
import type { KvParts } from './kv-parts.ts'
import { verifyTables } from './kv-verify.ts'
import type { TableVerification } from './kv-verify.ts'
import { levelStatistics } from './levels.ts'
import type { KvTable, Levels } from './levels.ts'
import { checkKey, checkKeys, checkValue } from './limits.ts'
import { Pace } from '../../kernel/pace.ts'
import { KEYS_UNPACED_MAX, PointReads } from './point-reads.ts'
import { approximateBytes } from './range-size.ts'
import { isFresh, mayBlock } from './read-options.ts'
import { toScanPlan } from './scan-plan.ts'
import { ShardScans } from './shard-scans.ts'
import { Snapshot } from './snapshot.ts'
import { SyncFill } from './sync-fill.ts'
import { freshRead, trackedRead } from './tracked-read.ts'

const EMPTY: Uint8Array = new Uint8Array(0)

/**
 * An open key-value shard. Calls may overlap: writes take effect in the order of their calls, reads are as of theirs.
 * Bytes that are handed in are borrowed for the call; bytes that are handed out are the caller's.
 */
export class KvShard {
  /** What the composition allows. */
  readonly supports: KvSupport
  readonly #parts: KvParts
  readonly #shard: Shard<OrderedOperation, OrderedMemtable, Levels>
  readonly #order: KeyOrder
  /** Lent to `write`, which only borrows it: a put makes no object. */
  readonly #operation = { key: EMPTY, value: EMPTY, kind: ENTRY_PUT as EntryKind }
  readonly #points: PointReads
  readonly #pace: Pace
  readonly #fill: SyncFill
  /** Gets since the pace was last taken. */
  #unpaced = 0
  readonly #copies = new CopyOut()
  readonly #scans: ShardScans
  readonly #snapshots = new Set<Snapshot>()
  /** Reads that await bytes: `close` waits for them. */
  readonly #reads = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  /** Use `openKv`. */
  constructor(parts: KvParts) {
    this.#parts = parts
    this.#shard = parts.shard
    this.#order = parts.order
    this.#pace = new Pace(parts.clock)
    this.supports = Object.freeze({ syncRead: parts.files.supports.syncRead })
    this.#fill = new SyncFill(parts.clock, parts.files.supports)
    this.#points = new PointReads(parts, this.#copies, this.#fill)
    this.#scans = new ShardScans(parts, {
      copies: this.#copies,
      fill: this.#fill,
      pace: this.#pace,
      check: () => this.#checkOpen(),
      track: (reading) => this.#track(reading),
    })
  }

  /** It was opened to be read only: writes reject with READ_ONLY. */
  get readOnly(): boolean {
    return this.#shard.readOnly
  }

  /**
   * Sets `key` to `value`. Puts of one turn of the event loop share one journal write and one promise.
   *
   * @param key 0 B … KV_LIMITS.keyBytesMax, borrowed for the call
   * @param value 0 B … KV_LIMITS.valueBytesMax, borrowed for the call
   * @throws {TypeError} not bytes
   * @throws {VarveError} LIMIT_EXCEEDED, and what `Shard.write` throws
   */
  put(key: Uint8Array, value: Uint8Array, options?: WriteOptions): Promise<void> {
    try {
      this.#checkOpen()
      checkKey(key)
      checkValue(value)
      return this.#write(key, value, ENTRY_PUT, durabilityOf(options), 'store')
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Removes `key`; a key that is not there is no error. Errors as `put`. */
  delete(key: Uint8Array, options?: WriteOptions): Promise<void> {
    try {
      this.#checkOpen()
      checkKey(key)
      return this.#write(key, EMPTY, ENTRY_DELETE, durabilityOf(options), 'free')
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Removes every key of `range`, at the price of one write, however many there are. `{}` is all.
   *
   * One tombstone is kept until compaction has removed what it covers. Errors as `put`; TypeError for bad or undefined bounds.
   */
  deleteRange(range: KvRange, options?: WriteOptions): Promise<void> {
    try {
      this.#checkOpen()
      const deletion = toRangeDeletion(range, this.#order)
      const durability = durabilityOf(options)
      return deletion === undefined ? this.#writeAll([], durability) : this.#shard.write(deletion, durability, 'free')
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Applies `operations` in order, together or not at all. Errors as `put`; nothing is applied then. */
  batch(operations: readonly KvOperation[], options?: WriteOptions): Promise<void> {
    try {
      this.#checkOpen()
      return this.#writeAll(toOperations(operations, this.#order), durabilityOf(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * The value of `key`, or undefined. Reads as of the call, whatever is written while it waits.
   *
   * @throws {VarveError} TABLE_CORRUPT, FILE_MISSING, IO_FAILED, CLOSED, ABORTED; `fresh`: FENCED, READ_ONLY
   */
  get(key: Uint8Array, options?: GetOptions): Promise<Uint8Array | undefined> {
    try {
      if (isFresh(options)) return freshRead(this.get(key, { ...options, fresh: false }), this.#shard, options)
      const seqno = this.#seqnoFor(key, options)
      const found = this.#points.find(key, seqno)
      if (found !== PENDING) {
        const value = found ? this.#points.value() : undefined
        const turn = ++this.#unpaced < KEYS_UNPACED_MAX ? undefined : this.#takePace()
        return turn === undefined ? Promise.resolve(value) : turn.then(() => value)
      }
      return this.#track(this.#points.wait(key, seqno, options?.signal))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Twin of `get`. @throws {VarveError} WOULD_BLOCK — bytes are lacking and may not be waited for */
  getSync(key: Uint8Array, options?: SyncReadOptions): Uint8Array | undefined {
    return this.hasSync(key, options) ? this.#points.value() : undefined
  }

  /** Values in the order of `keys`, undefined where there is none; all as of the same moment. Errors as `get`. */
  async getMany(keys: readonly Uint8Array[], options?: GetOptions): Promise<(Uint8Array | undefined)[]> {
    if (isFresh(options)) return freshRead(this.getMany(keys, { ...options, fresh: false }), this.#shard, options)
    checkKeys(keys)
    this.#checkOpen()
    const seqno = this.#readSeqno(options?.snapshot)
    return this.#track(this.#points.many(keys, seqno, options?.signal, () => this.#pace.take()))
  }

  /** Whether `key` has a value. Errors as `get`. */
  async has(key: Uint8Array, options?: GetOptions): Promise<boolean> {
    if (isFresh(options)) return freshRead(this.has(key, { ...options, fresh: false }), this.#shard, options)
    const seqno = this.#seqnoFor(key, options)
    const found = this.#points.find(key, seqno)
    if (found !== PENDING) return found
    return (await this.#track(this.#points.wait(key, seqno, options?.signal))) !== undefined
  }

  /** Whether `key` has a value, without a promise. Errors as `getSync`. */
  hasSync(key: Uint8Array, options?: SyncReadOptions): boolean {
    this.#checkOpen()
    checkKey(key)
    return this.#points.findSync(key, this.#readSeqno(options?.snapshot), mayBlock(options))
  }

  /** Entries in key order. @throws {TypeError} {RangeError} bad bounds or limit; {VarveError} CLOSED */
  scan(options: ScanOptions = {}): KvScan {
    this.#checkOpen()
    return this.#scans.scan(toScanPlan(options, this.#order, this.#pinFor))
  }

  /** This moment, to read from later: what is visible now. Keeps what it sees until closed. @throws {VarveError} CLOSED */
  snapshot(): KvSnapshot {
    this.#checkOpen()
    const snapshot = new Snapshot(this, this.#shard.pinSeqno(), (closed) => {
      this.#snapshots.delete(closed)
      this.#shard.unpinSeqno(closed.seqno)
    })
    this.#snapshots.add(snapshot)
    return snapshot
  }

  /** Resolves when everything written before is in table files. Errors as `Shard.flush`. */
  flush(): Promise<void> {
    return this.#guard(() => this.#shard.flush())
  }

  /** Makes every write so far survive a power cut. Errors as `Shard.sync`. */
  sync(): Promise<void> {
    return this.#guard(() => this.#shard.sync())
  }

  /**
   * Flushes, then merges what the range has above the deepest level in use into that, dropping what nobody can see. Reads and
   * writes go on meanwhile. It needs room for a second copy.
   *
   * @throws {TypeError} {RangeError} bad bounds
   * @throws {VarveError} as `flush`, and what the merge fails with, such as JOB_FAILED: nothing has changed
   */
  async compactRange(range: KvRange = {}): Promise<void> {
    this.#checkOpen()
    const bounds = toKeyRange(range, this.#order)
    await this.#shard.flush()
    // Once: what is flushed meanwhile is another's business.
    await this.#shard.apply((underway) =>
      this.#parts.engine.chooseRange(this.#shard.view.version.shape, underway, bounds),
    )
  }

  /** Resolves when background compaction has nothing left to do. Rejects with what its last attempt failed with. */
  settle(): Promise<void> {
    return this.#guard(() => this.#shard.settle())
  }

  /** Stored bytes of the range, right to about a block for each level; what is still in memory counts as it is there. */
  async approximateSize(range: KvRange = {}): Promise<number> {
    this.#checkOpen()
    const bounds = toKeyRange(range, this.#order)
    if (isEmptyRange(bounds, this.#order)) return 0
    const view = this.#shard.pin()
    const size = approximateBytes(view, bounds, this.#order)
    return this.#track(size.finally(() => this.#shard.unpin(view)))
  }

  /** Copies this moment to other stores; see `checkpoint` of `varve` for a directory. Errors as `Shard.checkpoint`. */
  checkpoint(target: CheckpointTarget, options?: Pick<VerifyOptions, 'signal'>): Promise<void> {
    return this.#guard(() => this.#shard.checkpoint(target, options))
  }

  /** Makes a second shard in the same stores that starts with this moment, without copying. Errors as `Shard.clone`. */
  clone(clone: string): Promise<void> {
    return this.#guard(() => this.#shard.clone(shardId(clone)))
  }

  /**
   * Puts two shards in the place of this one: `left` has keys before `at`, `right` the others. By reference: no table is
   * copied. Writes that come meanwhile wait, then reject with SUPERSEDED: the new shards are for them. Reads go on until this
   * one is closed. Names of shards are used once, ever.
   *
   * @throws {TypeError} {RangeError} `at` is no key; both names are one
   * @throws {VarveError} EXISTS, READ_ONLY, LIMIT_EXCEEDED (no name of a shard), FENCED, BUSY, what `flush` throws — nothing
   *   has changed; OUTCOME_UNKNOWN — open it again to find out
   */
  async split(at: Uint8Array, left: string, right: string): Promise<void> {
    checkKey(at)
    await this.#guard(() => splitShard(this.#arranged, at, shardId(left), shardId(right)))
  }

  /**
   * Puts `merged` in the place of this shard, which has keys before `at`, and of `right`, which has the others. Otherwise as
   * `split`.
   *
   * @throws {RangeError} one of them has keys of the other's; nothing has changed
   * @throws {VarveError} NOT_FOUND, INCOMPATIBLE — they are in two places, or of two orders; nothing has changed
   */
  async merge(right: KvShard, at: Uint8Array, merged: string): Promise<void> {
    checkKey(at)
    if (right === this || !(right instanceof KvShard)) throw new TypeError('a shard is merged with another')
    await this.#guard(() => mergeShards(this.#arranged, right.#shard, at, shardId(merged)))
  }

  /** Rewrites every table that this shard shares with those it was split, merged or cloned from. Errors as `compactRange`. */
  detach(): Promise<void> {
    return this.#guard(() => detachShard(this.#shard))
  }

  /** What there is and what was done, for people and for metrics. Cheap: nothing is read. */
  statistics(): KvStatistics {
    const { cache } = this.#parts
    const levels = levelStatistics(this.#shard.view.version.shape)
    return { ...this.#shard.statistics(), levels, cache: cache.statistics, entryCache: this.#points.statistics }
  }

  /** Tables of each level, level 0 first, as of now: names, sizes and bounds. For people; not to be changed. */
  levels(): readonly (readonly KvTable[])[] {
    return this.#shard.view.version.shape.levels
  }

  /**
   * Reads every byte of every table and checks it. Damage is told, table by table, not thrown.
   *
   * @throws {TypeError} {VarveError} CLOSED — at once; CLOSED, ABORTED, UNSUPPORTED, PERMISSION_DENIED, … — when a table is asked for
   */
  verify(options: VerifyOptions = {}): AsyncGenerator<TableVerification, void, undefined> {
    return verifyTables(this.#shard, this.#parts.files, this.#parts.hash, options, () => this.#checkOpen())
  }

  /**
   * The key columns of the tables there are when the first is asked for, one after the other, level 0 first: every entry
   * that is in files, older versions and deletions too, without its value. See the setting `keyColumns`.
   *
   * @throws {TypeError} {VarveError} CLOSED — at once; CLOSED, ABORTED, FILE_MISSING, IO_FAILED — when one is asked for
   */
  keyColumns(options: Pick<VerifyOptions, 'signal'> = {}): AsyncGenerator<TableKeyColumn, void, undefined> {
    return openColumns(this.#shard, this.#parts.files, this.#parts.hash, options, () => this.#checkOpen())
  }

  /** Settles every call, closes scans and snapshots, syncs and lets go, whatever happens. Idempotent. Errors as `Shard.close`. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    try {
      await Promise.allSettled(this.#reads)
      this.#scans.closeAll()
      for (const snapshot of this.#snapshots) snapshot.close()
      await this.#shard.close()
    } finally {
      this.#points.close()
      await closeEach([() => this.#parts.tables.close(), () => this.#parts.closeParts()])
    }
  }

  #write(key: Uint8Array, value: Uint8Array, kind: EntryKind, durability: Durability, purpose: Purpose): Promise<void> {
    const operation = this.#operation
    operation.key = key
    operation.value = value
    operation.kind = kind
    return this.#shard.write(operation, durability, purpose)
  }

  #writeAll(operations: readonly OrderedOperation[], durability: Durability): Promise<void> {
    const purpose = operations.some(({ kind }) => kind === ENTRY_PUT) ? 'store' : 'free'
    const written = this.#shard.writeBatch(operations, durability, purpose)
    // A synced write takes what was written before it along, even where it has nothing to write itself.
    return operations.length === 0 && durability === 'synced' ? written.then(() => this.#shard.sync()) : written
  }

  get #arranged(): Arranged {
    return { shard: this.#shard, order: this.#order, place: this.#parts }
  }

  /** Holds what `options` read as of. */
  readonly #pinFor = ({ snapshot }: ReadOptions): Seqno =>
    this.#shard.pinSeqno(snapshot === undefined ? undefined : this.#readSeqno(snapshot))

  #seqnoFor(key: Uint8Array, options: ReadOptions | undefined): Seqno {
    this.#checkOpen()
    checkKey(key)
    return this.#readSeqno(options?.snapshot)
  }

  #readSeqno(snapshot: KvSnapshot | undefined): Seqno {
    if (snapshot === undefined) return this.#shard.visible
    if (!(snapshot instanceof Snapshot)) throw new TypeError('snapshot must come from snapshot()')
    return snapshot.seqnoFor(this)
  }

  /** Gets that find everything at hand resolve without leaving the microtasks: see `Pace`. */
  #takePace(): Promise<void> | undefined {
    this.#unpaced = 0
    return this.#pace.take()
  }

  async #guard(work: () => Promise<void>): Promise<void> {
    this.#checkOpen()
    await work()
  }

  #track<T>(read: Promise<T>): Promise<T> {
    return trackedRead(read, this.#reads, this.#shard)
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', 'the shard is closed')
  }
}
