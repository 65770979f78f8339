/**
 * A scan: the entries of a range as of one seqno, in chunks.
 *
 * It holds its seqno for as long as it lives, but a view only while it works: a program may write while it scans, and
 * memtables and files that were flushed or compacted away must not wait for it. When the view has changed between two
 * pulls, the scan opens its cursors anew, after the last key it gave out.
 */

import type { BatchPool } from '../../kernel/batch-pool.ts'
import { copyOf, copyRange, isBytes } from '../../kernel/bytes.ts'
import { PENDING } from '../../kernel/cursor.ts'
import type { Cursor } from '../../kernel/cursor.ts'
import type { EntryBatch } from '../../kernel/entry-batch.ts'
import { VarveError, throwIfAborted } from '../../kernel/errors.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { isAtOrAfterLower, isAtOrBeforeUpper } from '../../kernel/key-range.ts'
import type { KeyRange } from '../../kernel/key-range.ts'
import { kindOf } from '../../kernel/kind-of.ts'
import { KeyScratch } from '../../sst/key-scratch.ts'
import type { EntryCopies } from './entry-copies.ts'
import type { KvEntry, KvScan } from './kv.ts'
import { checkWhole } from './limits.ts'
import type { KvView } from './lookup.ts'
import { ScanEntries } from './scan-entries.ts'
import type { ScanPlan } from './scan-plan.ts'
import type { SyncFill } from './sync-fill.ts'

// Entries of a chunk where the caller names no count: enough to amortise a promise, few enough for small results.
const CHUNK_COUNT = 1000
// A chunk ends early at this many bytes, so that large values do not pile up.
const CHUNK_BYTES = 4 * 1024 * 1024

/** What a scan needs of its shard. */
export interface ScanHost {
  readonly order: KeyOrder
  readonly copies: EntryCopies
  readonly batches: BatchPool
  readonly fill: SyncFill
  view(): KvView
  pin(): KvView
  unpin(view: KvView): void
  /** A cursor over everything in `view` that is in `range`, for `plan`. */
  open(view: KvView, range: KeyRange, plan: ScanPlan): Cursor
  /** Throws CLOSED when the shard is closing. */
  check(): void
  /** What to await before pulling, for the sake of the event loop; undefined where there is no need. */
  pace(): Promise<void> | undefined
  /** The shard's `close` waits for `reading`. */
  track<T>(reading: Promise<T>): Promise<T>
  /** It came by `count` deletions, and gave out nothing for them. */
  passed(count: number): void
  /** Lets go of the seqno of `plan`. */
  closed(scan: Scan, plan: ScanPlan): void
}

export class Scan implements KvScan {
  readonly #host: ScanHost
  readonly #plan: ScanPlan
  /** While there is a cursor. */
  #batch: EntryBatch | undefined
  #cursor: Cursor | undefined
  #view: KvView | undefined
  /** Where the cursor was opened, or will be. */
  #range: KeyRange
  /** Key of the entry given out last, or passed last; −1: none yet. */
  readonly #lastKey = new KeyScratch()
  #lastKeyLength = -1
  /** Next entry of the batch to give out. */
  #index = 0
  #left: number
  #busy = false
  #state: 'open' | 'ended' | 'closed' = 'open'

  constructor(host: ScanHost, plan: ScanPlan) {
    this.#host = host
    this.#plan = plan
    this.#range = plan.range
    this.#left = plan.limit
  }

  next(count: number = CHUNK_COUNT, bytes: number = CHUNK_BYTES): Promise<KvEntry[]> {
    try {
      this.#begin(count, bytes)
    } catch (error) {
      return Promise.reject(error)
    }
    const turn = this.#host.pace()
    try {
      throwIfAborted(this.#plan.signal)
      // What there is without waiting needs no pinned view, and one promise in place of six (docs/performance-notes.md).
      const entries = turn === undefined ? this.#pull(this.#host.view(), count, bytes) : PENDING
      if (entries === PENDING) return this.#host.track(this.#next(turn, count, bytes))
      this.#busy = false
      return Promise.resolve(entries)
    } catch (error) {
      this.#busy = false
      return this.#host.track(Promise.reject(error))
    }
  }

  async #next(turn: Promise<void> | undefined, count: number, bytes: number): Promise<KvEntry[]> {
    const view = this.#host.pin()
    try {
      if (turn !== undefined) {
        await turn
        this.#check()
      }
      for (;;) {
        throwIfAborted(this.#plan.signal)
        const entries = this.#pull(view, count, bytes)
        if (entries !== PENDING) return entries
        const cursor = this.#cursor as Cursor
        if (this.#host.fill.try(cursor)) continue
        await cursor.fill(this.#plan.signal)
        // The world moved: the scan or its shard may have been closed.
        this.#check()
      }
    } finally {
      this.#busy = false
      this.#host.unpin(view)
    }
  }

  nextSync(count: number = CHUNK_COUNT, bytes: number = CHUNK_BYTES): KvEntry[] {
    this.#begin(count, bytes)
    try {
      throwIfAborted(this.#plan.signal)
      for (;;) {
        const entries = this.#pull(this.#host.view(), count, bytes)
        if (entries !== PENDING) return entries
        this.#cursor?.fillSync()
      }
    } finally {
      this.#busy = false
    }
  }

  seek(key: Uint8Array): void {
    this.#check()
    if (!isBytes(key)) throw new TypeError(`key must be a Uint8Array, got ${kindOf(key)}`)
    if (this.#busy) throw new TypeError('seek() while next() is running')
    const { range, reverse } = this.#plan
    const { order } = this.#host
    const target = new Uint8Array(key)
    const inside = reverse
      ? isAtOrBeforeUpper(range, order, target, 0, target.length)
      : isAtOrAfterLower(range, order, target, 0, target.length)
    // Outside on the near side, the whole range lies ahead; on the far side, the bounds below leave nothing.
    if (!inside) this.#reposition(range)
    else if (reverse) this.#reposition({ ...range, upper: target, upperOpen: false })
    else this.#reposition({ ...range, lower: target, lowerOpen: false })
    this.#lastKeyLength = -1
    if (this.#state === 'ended') this.#state = 'open'
  }

  chunks(count: number = CHUNK_COUNT): AsyncGenerator<KvEntry[], void, undefined> {
    try {
      checkCount(count)
      this.#check()
    } catch (error) {
      // Whoever wrote `db.scan().chunks(…)` has nothing to close it by.
      this.close()
      throw error
    }
    return this.#chunks(count)
  }

  async *#chunks(count: number): AsyncGenerator<KvEntry[], void, undefined> {
    try {
      for (;;) {
        const entries = await this.next(count)
        if (entries.length === 0) return
        yield entries
      }
    } finally {
      this.close()
    }
  }

  [Symbol.asyncIterator](): ScanEntries {
    return new ScanEntries(this, this.#plan.signal)
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#drop()
    this.#host.closed(this, this.#plan)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }

  #begin(count: number, bytes: number): void {
    checkCount(count)
    if (typeof bytes !== 'number' || !(bytes > 0)) throw new RangeError(`bytes must be above 0, got ${String(bytes)}`)
    this.#check()
    if (this.#busy) throw new TypeError('next() while an earlier next() is running')
    this.#busy = true
  }

  #check(): void {
    this.#host.check()
    if (this.#state === 'closed') throw new VarveError('CLOSED', 'the scan is closed')
  }

  #pull(view: KvView, count: number, bytesWanted: number): KvEntry[] | typeof PENDING {
    const entries: KvEntry[] = []
    const wanted = Math.min(count, this.#left)
    if (this.#state === 'ended' || wanted === 0) return entries
    const cursor = this.#at(view)
    const batch = this.#batch as EntryBatch
    let bytes = 0
    let reach = wanted
    while (entries.length < wanted && bytes < bytesWanted) {
      if (this.#index === batch.count) {
        batch.limitTo(reach)
        const filled = cursor.next(batch)
        this.#index = 0
        if (filled === PENDING) {
          batch.clear()
          if (entries.length === 0) return PENDING
          break
        }
        if (filled === 0) {
          this.#state = 'ended'
          this.#drop()
          break
        }
      }
      const [found, first] = [entries.length, this.#index]
      const { copies } = this.#host
      this.#index = copies.take(batch, first, entries, wanted, bytesWanted - bytes, this.#plan)
      bytes += copies.bytes
      if (this.#index > first) this.#noteLast(batch, this.#index - 1)
      this.#host.passed(this.#index - first - (entries.length - found))
      // Where all were deleted, look further: a batch for each deletion is most of what passing it costs.
      reach = entries.length === found ? Math.min(2 * reach, batch.capacityMax) : wanted - entries.length
    }
    this.#left -= entries.length
    return entries
  }

  /** Where to go on, should the view change before the next pull. */
  #noteLast(batch: EntryBatch, index: number): void {
    const start = batch.keyStarts[index] as number
    const length = (batch.keyStarts[index + 1] as number) - start
    copyRange(batch.keys, start, length, this.#lastKey.reserve(length), 0)
    this.#lastKeyLength = length
  }

  /** The cursor over `view`, opened after the last key given out where the view is another than before. */
  #at(view: KvView): Cursor {
    if (this.#cursor !== undefined && this.#view === view) return this.#cursor
    this.#drop()
    if (this.#lastKeyLength >= 0) {
      const last = copyOf(this.#lastKey.bytes, 0, this.#lastKeyLength)
      this.#range = this.#plan.reverse
        ? { ...this.#range, upper: last, upperOpen: true }
        : { ...this.#range, lower: last, lowerOpen: true }
    }
    this.#view = view
    this.#cursor = this.#host.open(view, this.#range, this.#plan)
    this.#batch = this.#host.batches.take()
    return this.#cursor
  }

  #reposition(range: KeyRange): void {
    this.#drop()
    this.#range = range
  }

  #drop(): void {
    this.#cursor?.close()
    this.#cursor = undefined
    this.#view = undefined
    if (this.#batch !== undefined) this.#host.batches.give(this.#batch)
    this.#batch = undefined
    this.#index = 0
  }
}

/** @throws {RangeError} not whole, or none */
function checkCount(count: number): void {
  checkWhole('count', count)
  if (count <= 0) throw new RangeError(`count must be above 0, got ${count}`)
}
