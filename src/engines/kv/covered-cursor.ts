/**
 * The entries of one source that no range tombstone covers, neither its own nor a newer source's.
 *
 * One comparison for a batch where no tombstone begins or ends in it. Where a batch ends in a covered stretch, the cursor
 * is opened anew behind what is covered for sure: blocks and tables in between are never read.
 */

import { PENDING } from '../../kernel/cursor.ts'
import type { Cursor, CursorOptions, Pending } from '../../kernel/cursor.ts'
import { EntryBatch } from '../../kernel/entry-batch.ts'
import { VarveError } from '../../kernel/errors.ts'
import { compareCuts, isAfterCut, rangeAfter, rangeBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { KeyRange } from '../../kernel/key-range.ts'
import { isBetween, resetStretch, wholeStretch } from '../../kernel/range-tombstone.ts'
import type { RangeStretch } from '../../kernel/range-tombstone.ts'
import { BlockFetch } from '../../sst/block-fetch.ts'
import type { RangeCover } from './range-cover.ts'

/** One sorted source of a view. */
export interface CoveredSource {
  open(range: KeyRange): Cursor
  /**
   * How far, from `key` on in the direction of the scan, every entry that the scan could see is hidden by a tombstone
   * with the seqno of `stretch`, which holds the key; undefined where not even the next one is for sure.
   */
  hiddenUntil(key: Uint8Array, stretch: RangeStretch): KeyCut | undefined
}

export class CoveredCursor implements Cursor {
  readonly #source: CoveredSource
  readonly #covers: readonly RangeCover[]
  readonly #order: KeyOrder
  readonly #options: CursorOptions
  readonly #fetch = new BlockFetch()
  /** Where the cursor was opened, or will be. */
  #range: KeyRange
  #cursor: Cursor | undefined
  #batch = new EntryBatch(1)
  /** Next entry of the batch to look at. */
  #index = 0
  readonly #stretch: RangeStretch = wholeStretch()
  /** `#stretch` is about the keys of the batch. */
  #known = false
  readonly #part: RangeStretch = wholeStretch()
  #ended = false
  #closed = false

  /** @param covers of the newer sources, newest first, and of this one */
  constructor(source: CoveredSource, covers: readonly RangeCover[], order: KeyOrder, options: CursorOptions) {
    this.#source = source
    this.#covers = covers
    this.#order = order
    this.#options = options
    this.#range = options.range
  }

  next(into: EntryBatch): number | Pending {
    if (this.#closed) throw new VarveError('CLOSED', 'the cursor is closed')
    into.clear()
    while (!this.#ended) {
      if (this.#index === this.#batch.count) {
        const more = this.#pull(into.capacity)
        if (more !== true) return more === PENDING ? PENDING : 0
      }
      const answer = this.#copy(into)
      if (into.count > 0) return into.count
      if (answer === PENDING) return PENDING
      this.#skip()
    }
    return 0
  }

  async fill(signal?: AbortSignal): Promise<void> {
    if (this.#fetch.pending) await this.#fetch.fill(signal)
    else await this.#cursor?.fill(signal)
    // Closed meanwhile: what was opened for this cursor must not stay open for it.
    if (this.#closed) this.#fetch.clear()
  }

  fillSync(): void {
    if (this.#fetch.pending) this.#fetch.fillSync()
    else this.#cursor?.fillSync()
  }

  close(): void {
    this.#closed = true
    this.#cursor?.close()
    this.#cursor = undefined
    this.#fetch.clear()
  }

  /** Fetches the next batch. False at the end. */
  #pull(capacity: number): boolean | Pending {
    this.#cursor ??= this.#source.open(this.#range)
    if (this.#batch.capacity !== capacity) this.#batch = new EntryBatch(capacity)
    this.#index = 0
    let count: number | Pending = 0
    try {
      count = this.#cursor.next(this.#batch)
    } catch (error) {
      this.#batch.clear()
      throw error
    }
    if (count === PENDING) {
      this.#batch.clear()
      return PENDING
    }
    if (count === 0) this.#ended = true
    return count !== 0
  }

  /** Copies what is visible of the batch. PENDING where it is not known what covers the entry that comes next. */
  #copy(into: EntryBatch): true | Pending {
    const batch = this.#batch
    const stretch = this.#stretch
    while (this.#index < batch.count && !into.full) {
      if (this.#find(this.#index) === PENDING) return PENDING
      const room = Math.min(batch.count, this.#index + into.capacity - into.count)
      const limit = this.#endOfStretch(this.#index, room)
      if (stretch.seqno === 0) into.pushRange(batch, this.#index, limit)
      else {
        for (let index = this.#index; index < limit; index++) {
          if ((batch.seqnos[index] as number) > stretch.seqno) into.pushFrom(batch, index)
        }
      }
      this.#index = limit
    }
    return true
  }

  /** Finds the stretch of the key of entry `index`. */
  #find(index: number): true | Pending {
    const { keys, keyStarts } = this.#batch
    const start = keyStarts[index] as number
    const limit = keyStarts[index + 1] as number
    const stretch = this.#stretch
    const order = this.#order
    if (this.#known && isBetween(stretch, order, keys, start, limit)) return true
    this.#known = false
    resetStretch(stretch)
    const part = this.#part
    for (const cover of this.#covers) {
      resetStretch(part)
      if (cover.stretch(keys, start, limit, this.#options.seqno, part, this.#fetch) === PENDING) return PENDING
      if (compareCuts(order, part.lower, stretch.lower) > 0) stretch.lower = part.lower
      if (compareCuts(order, part.upper, stretch.upper) < 0) stretch.upper = part.upper
      stretch.seqno = part.seqno
      // Whatever older sources have over this key is older.
      if (part.seqno > 0) break
    }
    this.#fetch.clear()
    this.#known = true
    return true
  }

  /** The first entry from `index` on, before `limit`, that is not in the stretch any more. */
  #endOfStretch(index: number, limit: number): number {
    if (!this.#isBeyond(limit - 1)) return limit
    let low = index + 1
    let high = limit - 1
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#isBeyond(middle)) high = middle
      else low = middle + 1
    }
    return low
  }

  #isBeyond(index: number): boolean {
    const { keys, keyStarts } = this.#batch
    const start = keyStarts[index] as number
    const limit = keyStarts[index + 1] as number
    return this.#options.reverse
      ? !isAfterCut(this.#order, keys, start, limit, this.#stretch.lower)
      : isAfterCut(this.#order, keys, start, limit, this.#stretch.upper)
  }

  /** The batch is used up, and nothing of it was visible: goes on where something may be. */
  #skip(): void {
    if (this.#stretch.seqno === 0) return
    const cut = this.#source.hiddenUntil(this.#batch.keyAt(this.#batch.count - 1), this.#stretch)
    if (cut === undefined) return
    this.#cursor?.close()
    this.#cursor = undefined
    if (cut.side === 2 || cut.side === -2) this.#ended = true
    else this.#range = this.#options.reverse ? rangeBefore(this.#range, cut) : rangeAfter(this.#range, cut)
  }
}
