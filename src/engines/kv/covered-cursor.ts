/**
 * The entries of one source that no range tombstone covers, neither its own nor a newer source's.
 *
 * One comparison for a batch where no tombstone begins or ends in it. What is covered for sure, from where the source
 * begins or from where a batch ends, is passed over: blocks and tables there are never read.
 */

import { PENDING } from '../../kernel/cursor.ts'
import type { Cursor, CursorOptions, Pending } from '../../kernel/cursor.ts'
import { EntryBatch } from '../../kernel/entry-batch.ts'
import { VarveError } from '../../kernel/errors.ts'
import { compareCuts, isAfterCut, lowerCut, rangeAfter, rangeBefore, upperCut } from '../../kernel/key-cut.ts'
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
  /** A key in `range` before which, in the direction of the scan, the source has nothing there; undefined: not known. */
  firstKey(range: KeyRange): Uint8Array | undefined
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
    this.#batch.clear()
  }

  /** Fetches the next batch. False at the end. */
  #pull(capacity: number): boolean | Pending {
    if (this.#cursor === undefined) {
      if (this.#passCovered() === PENDING) return PENDING
      if (this.#ended) return false
      this.#cursor = this.#source.open(this.#range)
    }
    if (this.#batch.capacityMax < capacity) {
      this.#batch.clear()
      this.#batch = new EntryBatch(capacity)
    }
    this.#batch.limitTo(capacity)
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
      const start = batch.keyStarts[this.#index] as number
      if (this.#find(batch.keys, start, batch.keyStarts[this.#index + 1] as number) === PENDING) return PENDING
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

  /** Finds the stretch that holds a key. */
  #find(keys: Uint8Array, start: number, limit: number): true | Pending {
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

  /** Narrows the range to where the source may have something visible. */
  #passCovered(): true | Pending {
    const { reverse } = this.#options
    while (!this.#ended) {
      const key = this.#source.firstKey(this.#range)
      if (key === undefined) return true
      if (this.#find(key, 0, key.length) === PENDING) return PENDING
      const cut = this.#hiddenUntil(key)
      if (cut === undefined) return true
      // A bound that is itself outside says nothing of what comes next.
      const progress = reverse
        ? compareCuts(this.#order, cut, upperCut(this.#range)) < 0
        : compareCuts(this.#order, cut, lowerCut(this.#range)) > 0
      if (!progress) return true
      this.#goOnAt(cut)
    }
    return true
  }

  /** The batch is used up, and nothing of it was visible: goes on where something may be. */
  #skip(): void {
    const cut = this.#hiddenUntil(this.#batch.keyAt(this.#batch.count - 1))
    if (cut === undefined) return
    this.#cursor?.close()
    this.#cursor = undefined
    this.#goOnAt(cut)
  }

  /** @param key in the stretch */
  #hiddenUntil(key: Uint8Array): KeyCut | undefined {
    return this.#stretch.seqno === 0 ? undefined : this.#source.hiddenUntil(key, this.#stretch)
  }

  #goOnAt(cut: KeyCut): void {
    if (cut.side === 2 || cut.side === -2) this.#ended = true
    else this.#range = this.#options.reverse ? rangeBefore(this.#range, cut) : rangeAfter(this.#range, cut)
  }
}
