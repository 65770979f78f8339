/**
 * K-way merge of cursors, itself a cursor.
 *
 * Every source fills a batch of its own. The sources that have a current entry wait in a queue, sorted by (key, rank);
 * what lies before the runner-up's key is copied out of the first in one run, then the first takes its new place. Where
 * the newest version is all that counts, no two sources in the queue have the same key: the older one has already
 * skipped it, so that nothing is ever compared with what was emitted.
 *
 * Lifetimes: keys are copied into the output; values are references to blocks, which live on after the source has moved
 * its own batch on. Sorting sources instead of a tournament tree: for the dozen sources a shard has, a binary search
 * compares no more often, and a source that stays first compares once an entry.
 */

import { assert } from './assert.ts'
import { compareRange } from './bytes.ts'
import { PENDING } from './cursor.ts'
import type { Cursor, CursorOptions, Pending } from './cursor.ts'
import { ENTRY_BATCH_CAPACITY, EntryBatch } from './entry-batch.ts'
import type { KeyOrder } from './key-order.ts'

// A short scan must not read a full batch from every source: the first is small, later ones are full.
const FIRST_CAPACITY = 32
// A run this long is likely to go on: worth a look at the end of the batch.
const LONG_RUN = 8

/**
 * Merges `sources`, newest first, all opened with the same `options`. Entries come in order of key; of one key those of
 * an earlier source come first, and with `versions: 'newest'` only the first of them.
 *
 * The merge owns the sources: `close` closes them. A single source is returned as it is.
 */
export function mergeCursors(
  sources: readonly Cursor[],
  order: KeyOrder,
  options: Pick<CursorOptions, 'reverse' | 'versions'>,
): Cursor {
  const [only] = sources
  return only !== undefined && sources.length === 1 ? only : new MergeCursor(sources, order, options)
}

class MergeSource {
  readonly cursor: Cursor
  /** Place among the sources: of two with the same key, the lower rank is the newer. */
  readonly rank: number
  batch = new EntryBatch(FIRST_CAPACITY)
  /** Of the current entry in `batch`. */
  index = 0
  count = 0
  /** It answered PENDING and has not been filled since. */
  pending = false

  constructor(cursor: Cursor, rank: number) {
    this.cursor = cursor
    this.rank = rank
  }

  /** Fetches the next batch. False at the end. */
  advance(): boolean | Pending {
    if (this.count !== 0 && this.batch.capacity < ENTRY_BATCH_CAPACITY) this.batch = new EntryBatch()
    const count = this.cursor.next(this.batch)
    this.pending = count === PENDING
    if (count === PENDING) return PENDING
    this.index = 0
    this.count = count
    return count !== 0
  }
}

class MergeCursor implements Cursor {
  readonly #sources: readonly MergeSource[]
  readonly #order: KeyOrder
  readonly #newest: boolean
  readonly #reverse: boolean
  /** Sources with a current entry, sorted. */
  readonly #queue: MergeSource[] = []
  /** Sources whose batch is used up: before their next key is known, nothing can be emitted. */
  readonly #waiting: MergeSource[]
  #closed = false

  constructor(sources: readonly Cursor[], order: KeyOrder, options: Pick<CursorOptions, 'reverse' | 'versions'>) {
    this.#sources = sources.map((cursor, rank) => new MergeSource(cursor, rank))
    this.#waiting = [...this.#sources]
    this.#order = order
    this.#newest = options.versions === 'newest'
    this.#reverse = options.reverse
  }

  next(into: EntryBatch): number | Pending {
    assert(!this.#closed, 'cursor used after close')
    into.clear()
    while (!into.full) {
      if (this.#waiting.length > 0) {
        const last = this.#waiting[0] as MergeSource
        if (this.#queue.length === 0 && this.#waiting.length === 1) {
          if (into.count > 0) break
          return this.#passThrough(last, into)
        }
        if (!this.#refill(into)) return into.count > 0 ? into.count : PENDING
        if (this.#waiting.length > 0) break
      }
      if (this.#queue.length === 0) break
      this.#emitRun(into)
    }
    return into.count
  }

  async fill(signal?: AbortSignal): Promise<void> {
    const pending = this.#waiting.filter((source) => source.pending)
    // All of them settle before this does: nothing runs on behind the caller's back.
    const results = await Promise.allSettled(pending.map((source) => source.cursor.fill(signal)))
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }

  fillSync(): void {
    for (const source of this.#waiting) if (source.pending) source.cursor.fillSync()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const source of this.#sources) source.cursor.close()
  }

  /** All others have ended: the last source fills the caller's batch itself. */
  #passThrough(source: MergeSource, into: EntryBatch): number | Pending {
    const count = source.cursor.next(into)
    source.pending = count === PENDING
    if (count === 0) this.#waiting.length = 0
    return count
  }

  /**
   * Asks every waiting source for its next batch. False where one is pending. An error keeps the source waiting: it is
   * thrown when `into` has nothing to deliver first, and comes again with the next call otherwise.
   */
  #refill(into: EntryBatch): boolean {
    const waiting = this.#waiting
    let kept = 0
    // The list may grow under way: by a source that ran out of entries which a newer source hides.
    for (let index = 0; index < waiting.length; index++) {
      const source = waiting[index] as MergeSource
      let more: boolean | Pending
      try {
        more = source.advance()
      } catch (error) {
        waiting.splice(kept, index - kept)
        if (into.count === 0) throw error
        return true
      }
      if (more === PENDING) waiting[kept++] = source
      else if (more) this.#insert(source, 0)
    }
    waiting.length = kept
    return kept === 0
  }

  /** Copies entries of the first source while they come before the second's. */
  #emitRun(into: EntryBatch): void {
    const queue = this.#queue
    const first = queue[0] as MergeSource
    const second = queue[1]
    const start = first.index
    const limit = Math.min(first.count, start + into.capacity - into.count)
    if (second === undefined) {
      into.pushRange(first.batch, start, limit)
      first.index = limit
      if (limit === first.count) this.#waiting.push(queue.pop() as MergeSource)
      return
    }
    const winsTies = !this.#newest && first.rank < second.rank
    let end = start + 1
    // How many sources are known to come before the first one now.
    let overtaken = 0
    while (end < limit) {
      if (end - start === LONG_RUN) {
        const comparison = this.#compareAt(first, limit - 1, second, second.index)
        if (comparison < 0 || (comparison === 0 && winsTies)) {
          end = limit
          break
        }
      }
      const comparison = this.#compareAt(first, end, second, second.index)
      if (comparison > 0 || (comparison === 0 && !winsTies)) {
        overtaken = comparison > 0 ? 1 : 0
        break
      }
      end++
    }
    into.pushRange(first.batch, start, end)
    first.index = end
    for (let at = 1; at < queue.length; at++) queue[at - 1] = queue[at] as MergeSource
    queue.pop()
    if (end === first.count) this.#waiting.push(first)
    else this.#insert(first, overtaken)
  }

  /**
   * Puts `source`, which has a current entry, in its place in the queue from `from` on. With `newest`, of two sources
   * with the same key the older skips it.
   */
  #insert(source: MergeSource, from: number): void {
    const queue = this.#queue
    for (;;) {
      let low = from
      let high = queue.length
      let same = -1
      while (low < high) {
        const middle = (low + high) >>> 1
        const other = queue[middle] as MergeSource
        const comparison = this.#compareAt(source, source.index, other, other.index)
        if (comparison === 0 && this.#newest) {
          same = middle
          break
        }
        if (comparison > 0 || (comparison === 0 && source.rank > other.rank)) low = middle + 1
        else high = middle
      }
      if (same < 0) {
        queue.push(source)
        for (let at = queue.length - 1; at > low; at--) queue[at] = queue[at - 1] as MergeSource
        queue[low] = source
        return
      }
      const other = queue[same] as MergeSource
      if (source.rank < other.rank) {
        queue[same] = source
        source = other
      }
      source.index++
      if (source.index === source.count) {
        this.#waiting.push(source)
        return
      }
    }
  }

  /** Order of entry `index` of one source and entry `otherIndex` of another, in the direction of the merge. */
  #compareAt(source: MergeSource, index: number, other: MergeSource, otherIndex: number): number {
    const { batch } = source
    const otherBatch = other.batch
    let comparison: number
    let skip = 0
    if (this.#order.bytewise) {
      const head = batch.heads[index] as number
      const otherHead = otherBatch.heads[otherIndex] as number
      if (head !== otherHead) return head < otherHead !== this.#reverse ? -1 : 1
      skip = 4
    }
    const start = batch.keyStarts[index] as number
    const limit = batch.keyStarts[index + 1] as number
    const otherStart = otherBatch.keyStarts[otherIndex] as number
    const otherLimit = otherBatch.keyStarts[otherIndex + 1] as number
    if (skip > limit - start || skip > otherLimit - otherStart) {
      // Equal heads and a key of less than four bytes: the rest was padding, so the shorter key comes first.
      comparison = limit - start - (otherLimit - otherStart)
    } else if (skip > 0) {
      comparison = compareRange(batch.keys, start + skip, limit, otherBatch.keys, otherStart + skip, otherLimit)
    } else comparison = this.#order.compare(batch.keys, start, limit, otherBatch.keys, otherStart, otherLimit)
    return this.#reverse ? -comparison : comparison
  }
}
