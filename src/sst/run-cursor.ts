/**
 * A cursor over a run: tables whose key ranges do not overlap, one after the other. Opens each when its turn comes.
 */

import { assert } from '../kernel/assert.ts'
import type { Cursor, CursorOptions, Pending } from '../kernel/cursor.ts'
import { PENDING } from '../kernel/cursor.ts'
import type { EntryBatch } from '../kernel/entry-batch.ts'
import { VarveError } from '../kernel/errors.ts'
import { rangeBetween } from '../kernel/key-cut.ts'
import type { KeyCut } from '../kernel/key-cut.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { isAtOrAfterLower, isAtOrBeforeUpper, isEmptyRange } from '../kernel/key-range.ts'
import { BlockFetch } from './block-fetch.ts'
import type { TableSource } from './table-source.ts'

/** One table of a run. Its keys must not change. */
export interface RunTable {
  /** The least key it may have. */
  readonly keyFirst: Uint8Array
  /** The greatest key it may have. */
  readonly keyLast: Uint8Array
  /** Where its reader comes from. */
  readonly source: TableSource
  /** Only what lies between these two cuts is part of the run. */
  readonly within?: { readonly lower: KeyCut; readonly upper: KeyCut } | undefined
}

/** Entries of a run, in order. At most one table is open for it at a time. */
export class RunCursor implements Cursor {
  readonly #tables: readonly RunTable[]
  readonly #order: KeyOrder
  readonly #options: CursorOptions
  readonly #intent: 'point' | 'stream'
  readonly #fetch = new BlockFetch()
  readonly #step: 1 | -1
  /** The table at hand, and the first one in the direction of travel that is not to be visited. */
  #at: number
  readonly #end: number
  #cursor: Cursor | undefined = undefined
  #retained: TableSource | undefined = undefined
  #closed = false

  /** @param tables in ascending order of keys, no key in two of them; not changed while the cursor lives */
  constructor(
    tables: readonly RunTable[],
    order: KeyOrder,
    options: CursorOptions,
    intent: 'point' | 'stream' = 'point',
  ) {
    if (options.reverse && options.versions === 'all') throw new TypeError("a reverse cursor needs versions: 'newest'")
    this.#tables = tables
    this.#order = order
    this.#options = options
    this.#intent = intent
    this.#step = options.reverse ? -1 : 1
    const first = firstAtOrAfter(tables, order, options)
    const limit = isEmptyRange(options.range, order) ? first : Math.max(first, firstBeyond(tables, order, options))
    this.#at = options.reverse ? limit - 1 : first
    this.#end = options.reverse ? first - 1 : limit
  }

  next(into: EntryBatch): number | Pending {
    if (this.#closed) throw new VarveError('CLOSED', 'the cursor is closed')
    into.clear()
    while (this.#at !== this.#end) {
      const cursor = this.#cursor ?? this.#open()
      if (cursor === PENDING) return PENDING
      const count = cursor.next(into)
      if (count !== 0) return count
      this.#leave()
      this.#at += this.#step
    }
    return 0
  }

  async fill(signal?: AbortSignal): Promise<void> {
    if (this.#cursor !== undefined) await this.#cursor.fill(signal)
    else if (this.#fetch.pending) await this.#fetch.fill(signal)
    // Closed meanwhile: what was opened for this cursor must not stay open for it.
    if (this.#closed) this.#fetch.clear()
  }

  fillSync(): void {
    if (this.#cursor !== undefined) this.#cursor.fillSync()
    else if (this.#fetch.pending) this.#fetch.fillSync()
  }

  close(): void {
    this.#closed = true
    this.#leave()
    this.#fetch.clear()
  }

  #open(): Cursor | Pending {
    assert(this.#cursor === undefined, 'a cursor is open already')
    const { source, within } = this.#tables[this.#at] as RunTable
    const reader = source.reader(this.#fetch)
    if (reader === PENDING) return PENDING
    const options =
      within === undefined
        ? this.#options
        : { ...this.#options, range: rangeBetween(this.#options.range, this.#order, within.lower, within.upper) }
    this.#cursor = reader.cursor(options, this.#intent)
    source.retain()
    this.#retained = source
    // The source is retained: the fetch need not hold it as well.
    this.#fetch.clear()
    return this.#cursor
  }

  #leave(): void {
    this.#cursor?.close()
    this.#cursor = undefined
    this.#retained?.release()
    this.#retained = undefined
  }
}

/** Index of the first table whose last key is not before the range. */
function firstAtOrAfter(tables: readonly RunTable[], order: KeyOrder, { range }: CursorOptions): number {
  if (range.lower === undefined) return 0
  return lowerBound(tables, ({ keyLast }) => isAtOrAfterLower(range, order, keyLast, 0, keyLast.length))
}

/** Index of the first table whose first key is after the range. */
function firstBeyond(tables: readonly RunTable[], order: KeyOrder, { range }: CursorOptions): number {
  if (range.upper === undefined) return tables.length
  return lowerBound(tables, ({ keyFirst }) => !isAtOrBeforeUpper(range, order, keyFirst, 0, keyFirst.length))
}

/** Index of the first table for which `holds`, which stays true once it is. */
function lowerBound(tables: readonly RunTable[], holds: (table: RunTable) => boolean): number {
  let low = 0
  let high = tables.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (holds(tables[middle] as RunTable)) high = middle
    else low = middle + 1
  }
  return low
}
