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
import { ENTRY_PUT } from '../../kernel/entry.ts'
import { VarveError, throwIfAborted } from '../../kernel/errors.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { isAtOrAfterLower, isAtOrBeforeUpper } from '../../kernel/key-range.ts'
import type { KeyRange } from '../../kernel/key-range.ts'
import { KeyScratch } from '../../sst/key-scratch.ts'
import type { CopyOut } from './copy-out.ts'
import type { KvEntry, KvScan } from './kv.ts'
import { checkWhole, typeOf } from './limits.ts'
import type { KvView } from './lookup.ts'
import type { ScanPlan } from './scan-plan.ts'
import type { SyncFill } from './sync-fill.ts'

const EMPTY = new Uint8Array(0)
const NO_VIEW = new DataView(EMPTY.buffer)
// Entries of a chunk where the caller names no count: enough to amortise a promise, few enough for small results.
const CHUNK_COUNT = 1000
// A chunk ends early at this many bytes, so that large values do not pile up.
const CHUNK_BYTES = 4 * 1024 * 1024

/** What a scan needs of its shard. */
export interface ScanHost {
  readonly order: KeyOrder
  readonly copies: CopyOut
  readonly batches: BatchPool
  readonly fill: SyncFill
  view(): KvView
  pin(): KvView
  unpin(view: KvView): void
  /** A cursor over everything in `view` that is in `range`. */
  open(view: KvView, range: KeyRange): Cursor
  /** Throws CLOSED when the shard is closing. */
  check(): void
  /** What to await before pulling, for the sake of the event loop; undefined where there is no need. */
  pace(): Promise<void> | undefined
  /** The shard's `close` waits for `reading`. */
  track<T>(reading: Promise<T>): Promise<T>
  /** It came by `count` deletions, and gave out nothing for them. */
  passed(count: number): void
  closed(scan: Scan): void
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
    return this.#host.track(this.#next(count, bytes))
  }

  async #next(count: number, bytes: number): Promise<KvEntry[]> {
    const turn = this.#host.pace()
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
    if (!isBytes(key)) throw new TypeError(`key must be a Uint8Array, got ${typeOf(key)}`)
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

  async *chunks(count: number = CHUNK_COUNT): AsyncGenerator<KvEntry[], void, undefined> {
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

  async *[Symbol.asyncIterator](): AsyncGenerator<KvEntry, void, undefined> {
    for await (const entries of this.chunks()) yield* entries
  }

  close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#drop()
    this.#host.closed(this)
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close()
    return Promise.resolve()
  }

  #begin(count: number, bytes: number): void {
    checkWhole('count', count)
    if (count <= 0) throw new RangeError(`count must be above 0, got ${count}`)
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
      bytes += this.#take(batch, entries, wanted, bytesWanted - bytes)
      this.#host.passed(this.#index - first - (entries.length - found))
      // Where all were deleted, look further: a batch for each deletion is most of what passing it costs.
      reach = entries.length === found ? Math.min(2 * reach, batch.capacityMax) : wanted - entries.length
    }
    this.#left -= entries.length
    return entries
  }

  /** Moves entries from the batch to `entries`, up to `wanted` or until `bytesWanted` are reached; returns their bytes. */
  #take(batch: EntryBatch, entries: KvEntry[], wanted: number, bytesWanted: number): number {
    const { keys, values } = this.#plan
    const { copies } = this.#host
    const { keyStarts, kinds, valueBlocks, valueStarts, valueLengths } = batch
    const keyBytes = batch.keys
    const keyView = batch.keyView
    let blockIndex = -1
    let block: Uint8Array = EMPTY
    let blockView: DataView = NO_VIEW
    let bytes = 0
    let index = this.#index
    for (; index < batch.count && entries.length < wanted && bytes < bytesWanted; index++) {
      if (kinds[index] !== ENTRY_PUT) continue
      let key: Uint8Array = EMPTY
      let value: Uint8Array = EMPTY
      if (keys) {
        const start = keyStarts[index] as number
        key = copies.copyWords(keyBytes, keyView, start, (keyStarts[index + 1] as number) - start)
      }
      if (values) {
        if (valueBlocks[index] !== blockIndex) {
          blockIndex = valueBlocks[index] as number
          block = batch.blocks[blockIndex] as Uint8Array
          blockView = new DataView(block.buffer, block.byteOffset, block.length)
        }
        const start = valueStarts[index] as number
        const length = valueLengths[index] as number
        value =
          batch.blockOwned[blockIndex] === 1
            ? Buffer.from(block.buffer, block.byteOffset + start, length)
            : copies.copyWords(block, blockView, start, length)
      }
      entries.push({ key, value })
      bytes += key.length + value.length
    }
    if (index > this.#index) this.#noteLast(batch, index - 1)
    this.#index = index
    return bytes
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
    this.#cursor = this.#host.open(view, this.#range)
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
