/**
 * K-way merge of cursors, itself a cursor.
 *
 * Every source fills a batch of its own. The sources that have a current entry wait in a queue, sorted by (key, rank);
 * what lies before the runner-up's key is copied out of the first in one run, then the first takes its new place. Where
 * the newest version is all that counts, no two sources in the queue have the same key: the older one has already
 * skipped it, so that nothing is ever compared with what was emitted.
 *
 * Lifetimes: keys are copied into the output; values are references to blocks, which live on after the source has moved
 * its own batch on: the output has a lease of its own. Sorting sources instead of a tournament tree: for the dozen sources a shard has, looking through
 * their heads in one short array is as fast, and a source that stays first compares once an entry.
 */

import { assert } from './assert.ts'
import { BatchPool } from './batch-pool.ts'
import { PENDING } from './cursor.ts'
import type { Cursor, CursorOptions, Pending } from './cursor.ts'
import type { EntryBatch } from './entry-batch.ts'
import type { KeyOrder } from './key-order.ts'
import { MergeSource } from './merge-source.ts'

// A run this long is likely to go on: worth a look at the end of the batch.
const LONG_RUN = 8

/**
 * Merges `sources`, newest first, all opened with the same `options`. Entries come in order of key; of one key those of
 * an earlier source come first, and with `versions: 'newest'` only the first of them.
 *
 * The merge owns the sources: `close` closes them. A single source is returned as it is.
 *
 * @param batches where the sources' batches come from, and go back to when the merge is closed
 */
export function mergeCursors(
  sources: readonly Cursor[],
  order: KeyOrder,
  options: Pick<CursorOptions, 'reverse' | 'versions'>,
  batches: BatchPool = new BatchPool(),
): Cursor {
  const [only] = sources
  return only !== undefined && sources.length === 1 ? only : new MergeCursor(sources, order, options, batches)
}

class MergeCursor implements Cursor {
  /** By rank: of two with the same key, the one with the lower rank is the newer. */
  readonly #sources: readonly MergeSource[]
  readonly #batches: BatchPool
  /** Undefined: bytewise. */
  readonly #order: KeyOrder | undefined
  readonly #newest: boolean
  readonly #reverse: boolean
  /** All ones in reverse. */
  readonly #headFlip: number
  /** Zero where heads say nothing about the order. */
  readonly #headMask: number
  /** Ranks of the sources that have a current entry, sorted by it. */
  readonly #queue: Uint32Array
  /** Heads of those entries; see #headAt. */
  readonly #heads: Uint32Array
  #queued = 0
  /** Sources whose batch is used up: before their next key is known, nothing can be emitted. */
  readonly #waiting: number[]
  #closed = false

  constructor(
    sources: readonly Cursor[],
    order: KeyOrder,
    options: Pick<CursorOptions, 'reverse' | 'versions'>,
    batches: BatchPool,
  ) {
    this.#batches = batches
    this.#sources = sources.map((cursor) => new MergeSource(cursor, batches.take()))
    this.#queue = new Uint32Array(sources.length)
    this.#heads = new Uint32Array(sources.length)
    this.#waiting = sources.map((_, rank) => rank)
    this.#order = order.bytewise ? undefined : order
    this.#newest = options.versions === 'newest'
    this.#reverse = options.reverse
    this.#headFlip = options.reverse ? -1 : 0
    this.#headMask = order.bytewise ? -1 : 0
  }

  next(into: EntryBatch): number | Pending {
    assert(!this.#closed, 'cursor used after close')
    into.clear()
    while (!into.full) {
      if (this.#waiting.length > 0) {
        if (this.#queued === 0 && this.#waiting.length === 1) {
          return into.count > 0 ? into.count : this.#passThrough(into)
        }
        if (!this.#refill(into)) return into.count > 0 ? into.count : PENDING
      }
      if (this.#queued === 0) break
      this.#emitRun(into)
    }
    return into.count
  }

  async fill(signal?: AbortSignal): Promise<void> {
    const fills: Promise<void>[] = []
    for (const rank of this.#waiting) {
      const source = this.#source(rank)
      if (source.pending) fills.push(source.cursor.fill(signal))
    }
    // All of them settle before this does: nothing runs on behind the caller's back.
    await Promise.allSettled(fills)
    await Promise.all(fills)
  }

  fillSync(): void {
    for (const rank of this.#waiting) {
      const source = this.#source(rank)
      if (source.pending) source.cursor.fillSync()
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const { cursor, batch } of this.#sources) {
      cursor.close()
      this.#batches.give(batch)
    }
  }

  #source(rank: number): MergeSource {
    return this.#sources[rank] as MergeSource
  }

  /** All others have ended: the last source fills the caller's batch itself. */
  #passThrough(into: EntryBatch): number | Pending {
    const source = this.#source(this.#waiting[0] as number)
    const count = source.cursor.next(into)
    source.pending = count === PENDING
    if (count === 0) this.#waiting.length = 0
    return count
  }

  /**
   * Asks every waiting source for its next batch. False where one did not have it: it is pending, or it failed and will
   * again with the next call, because `into` has entries to deliver first.
   */
  #refill(into: EntryBatch): boolean {
    const waiting = this.#waiting
    let kept = 0
    // The list may grow under way: by a source that ran out of entries which a newer source hides.
    for (let index = 0; index < waiting.length; index++) {
      const rank = waiting[index] as number
      let more: boolean | Pending
      try {
        more = this.#source(rank).advance(into.capacity - into.count)
      } catch (error) {
        waiting.splice(kept, index - kept)
        if (into.count === 0) throw error
        return false
      }
      if (more === PENDING) waiting[kept++] = rank
      else if (more) this.#insert(rank, 0)
    }
    waiting.length = kept
    return kept === 0
  }

  /** Copies entries of the first source while they come before the second's. */
  #emitRun(into: EntryBatch): void {
    const queue = this.#queue
    const heads = this.#heads
    const rank = queue[0] as number
    const first = this.#source(rank)
    const start = first.index
    const limit = Math.min(first.count, start + into.capacity - into.count)
    let end = start + 1
    if (this.#queued === 1) end = limit
    else {
      const secondHead = heads[1] as number
      const second = queue[1] as number
      const firstHeads = first.batch.heads
      const flip = this.#headFlip
      const mask = this.#headMask
      while (end < limit) {
        const head = (((firstHeads[end] as number) ^ flip) & mask) >>> 0
        if (head > secondHead) break
        if (head === secondHead) {
          const comparison = this.#compareTails(first, end, this.#source(second))
          if (comparison > 0 || (comparison === 0 && (this.#newest || rank > second))) break
        }
        end++
        if (end - start === LONG_RUN && this.#headAt(first, limit - 1) < secondHead) end = limit
      }
    }
    into.pushRange(first.batch, start, end)
    first.index = end
    if (end === first.count) {
      this.#waiting.push(rank)
      this.#closeGap(0)
    } else if (this.#queued > 1) this.#moveFirst(rank, first)
  }

  /** Moves the first source to its new place, and the others forward. */
  #moveFirst(rank: number, first: MergeSource): void {
    const queue = this.#queue
    const heads = this.#heads
    const queued = this.#queued
    const head = this.#headAt(first, first.index)
    let at = 1
    for (; at < queued; at++) {
      const otherHead = heads[at] as number
      if (otherHead > head) break
      const other = queue[at] as number
      if (otherHead === head) {
        const comparison = this.#compareTails(first, first.index, this.#source(other))
        if (comparison === 0 && this.#newest) {
          this.#closeGap(at - 1)
          this.#insert(rank, at - 1)
          return
        }
        if (comparison < 0 || (comparison === 0 && rank < other)) break
      }
      queue[at - 1] = other
      heads[at - 1] = otherHead
    }
    queue[at - 1] = rank
    heads[at - 1] = head
  }

  /** Takes place `at` out of the queue. */
  #closeGap(at: number): void {
    const queued = --this.#queued
    for (; at < queued; at++) {
      this.#queue[at] = this.#queue[at + 1] as number
      this.#heads[at] = this.#heads[at + 1] as number
    }
  }

  /**
   * Puts the source of `rank`, which has a current entry, in its place in the queue, at `from` or later. With `newest`,
   * of two sources with the same key the older skips it.
   */
  #insert(rank: number, from: number): void {
    const queue = this.#queue
    const heads = this.#heads
    for (;;) {
      const source = this.#source(rank)
      const head = this.#headAt(source, source.index)
      let at = from
      let same = false
      for (; at < this.#queued; at++) {
        const otherHead = heads[at] as number
        if (otherHead > head) break
        if (otherHead < head) continue
        const other = queue[at] as number
        const comparison = this.#compareTails(source, source.index, this.#source(other))
        same = comparison === 0 && this.#newest
        if (same || comparison < 0 || (comparison === 0 && rank < other)) break
      }
      if (!same) {
        for (let moved = this.#queued++; moved > at; moved--) {
          queue[moved] = queue[moved - 1] as number
          heads[moved] = heads[moved - 1] as number
        }
        queue[at] = rank
        heads[at] = head
        return
      }
      const other = queue[at] as number
      if (rank < other) {
        queue[at] = rank
        rank = other
      }
      const older = this.#source(rank)
      older.index++
      if (older.index === older.count) {
        this.#waiting.push(rank)
        return
      }
      from = at + 1
    }
  }

  /** A number that is less for what comes first in the direction of the merge, wherever it differs. */
  #headAt(source: MergeSource, index: number): number {
    return (((source.batch.heads[index] as number) ^ this.#headFlip) & this.#headMask) >>> 0
  }

  /** Order of entry `index` of one source and the current one of another, in the direction of the merge; their heads tie. */
  #compareTails(source: MergeSource, index: number, other: MergeSource): number {
    const comparison = source.compareTails(index, other, this.#order)
    return this.#reverse ? -comparison : comparison
  }
}
