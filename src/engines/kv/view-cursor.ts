/**
 * A cursor over everything in a view: its memtables, the tables of its level 0 and each deeper level as one run.
 *
 * Where there is a range tombstone, the source that has it and all older ones leave out what is covered. Newer ones do not
 * ask: what they have is newer than any tombstone further down.
 */

import type { BatchPool } from '../../kernel/batch-pool.ts'
import type { Cursor, CursorOptions } from '../../kernel/cursor.ts'
import { compareCuts, cutAfter, cutBefore, lowerCut, upperCut } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { isAtOrAfterLower, isAtOrBeforeUpper, overlaps } from '../../kernel/key-range.ts'
import type { KeyRange } from '../../kernel/key-range.ts'
import { mergeCursors } from '../../kernel/merge.ts'
import type { RangeStretch } from '../../kernel/range-tombstone.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import { RunCursor } from '../../sst/run-cursor.ts'
import type { RunTable } from '../../sst/run-cursor.ts'
import { CoveredCursor } from './covered-cursor.ts'
import type { CoveredSource } from './covered-cursor.ts'
import { toRunTable } from './levels.ts'
import type { KvTable, SortedRun } from './levels.ts'
import type { KvView } from './lookup.ts'
import { MemoryCover, RunCover } from './range-cover.ts'
import type { RangeCover } from './range-cover.ts'

/** @param view pinned, or read within the turn */
export function openView(view: KvView, options: CursorOptions, order: KeyOrder, batches?: BatchPool): Cursor {
  const { range } = options
  const covers: RangeCover[] = []
  const sources: Cursor[] = []
  for (const table of view.tables) {
    // What it gets from now on is newer than what the cursor sees.
    if (table.count === 0) continue
    if (table.rangeTombstones.count > 0) covers.push(new MemoryCover(table.rangeTombstones))
    const source = new MemtableSource(table, options)
    sources.push(covers.length === 0 ? source.open(range) : new CoveredCursor(source, [...covers], order, options))
  }
  for (const run of view.version.shape.sorted) {
    addCover(covers, run, range, order)
    const cursor = runCursor(run, covers, order, options)
    if (cursor !== undefined) sources.push(cursor)
  }
  return mergeCursors(sources, order, options, batches)
}

function addCover(covers: RangeCover[], { covering }: SortedRun, range: KeyRange, order: KeyOrder): void {
  if (covering.length === 0) return
  const sharing = covering.filter(({ meta }) => sharesBounds(meta, range, order))
  if (sharing.length > 0) covers.push(new RunCover(sharing, order))
}

/** Undefined where the run has nothing in the range. */
function runCursor(
  { tables, cursorTables }: SortedRun,
  covers: readonly RangeCover[],
  order: KeyOrder,
  options: CursorOptions,
): Cursor | undefined {
  const { range } = options
  const first = tables[0]
  const last = tables[tables.length - 1]
  if (first === undefined || last === undefined) return undefined
  if (!overlaps(range, order, first.meta.keyFirst, last.meta.keyLast)) return undefined
  if (covers.length === 0) return new RunCursor(cursorTables, order, options, 'point')
  const inside = tables.filter(({ meta }) => overlaps(range, order, meta.keyFirst, meta.keyLast))
  if (inside.length === 0) return undefined
  return new CoveredCursor(new RunSource(inside, order, options), [...covers], order, options)
}

class MemtableSource implements CoveredSource {
  readonly #table: OrderedMemtable
  readonly #options: CursorOptions

  constructor(table: OrderedMemtable, options: CursorOptions) {
    this.#table = table
    this.#options = options
  }

  open(range: KeyRange): Cursor {
    return this.#table.cursor({ ...this.#options, range })
  }

  /** Looking would cost as much as opening. */
  firstKey(): undefined {}

  hiddenUntil(_key: Uint8Array, stretch: RangeStretch): KeyCut | undefined {
    const newest = Math.min(this.#table.seqnoLast, this.#options.seqno)
    return newest <= stretch.seqno ? farEnd(stretch, this.#options) : undefined
  }
}

class RunSource implements CoveredSource {
  readonly #tables: readonly KvTable[]
  readonly #run: readonly RunTable[]
  readonly #order: KeyOrder
  readonly #options: CursorOptions

  /** @param tables ascending, disjoint, with entries; at least one */
  constructor(tables: readonly KvTable[], order: KeyOrder, options: CursorOptions) {
    this.#tables = tables
    this.#run = tables.map(toRunTable)
    this.#order = order
    this.#options = options
  }

  open(range: KeyRange): Cursor {
    return new RunCursor(this.#run, this.#order, { ...this.#options, range }, 'point')
  }

  firstKey(range: KeyRange): Uint8Array | undefined {
    const order = this.#order
    const { lower, upper } = range
    if (this.#options.reverse) {
      // The last table that does not begin after the range.
      const index = upper === undefined ? this.#tables.length - 1 : this.#lastFrom(upper)
      const keyLast = this.#tables[index]?.meta.keyLast
      if (keyLast === undefined) return undefined
      return isAtOrBeforeUpper(range, order, keyLast, 0, keyLast.length) ? keyLast : upper
    }
    const keyFirst = this.#tables[lower === undefined ? 0 : this.#tableOf(lower)]?.meta.keyFirst
    if (keyFirst === undefined) return undefined
    return isAtOrAfterLower(range, order, keyFirst, 0, keyFirst.length) ? keyFirst : lower
  }

  hiddenUntil(key: Uint8Array, stretch: RangeStretch): KeyCut | undefined {
    const { reverse, seqno } = this.#options
    const order = this.#order
    const end = farEnd(stretch, this.#options)
    const step = reverse ? -1 : 1
    const start = this.#tableOf(key)
    for (let index = start; ; index += step) {
      const table = this.#tables[index]
      if (table === undefined) return end
      // Where the table begins, in the direction of the scan.
      const near = reverse ? cutAfter(table.meta.keyLast) : cutBefore(table.meta.keyFirst)
      if (index !== start && compareCuts(order, near, end) * step >= 0) return end
      if (Math.min(table.file.seqnoLast, seqno) > stretch.seqno) return index === start ? undefined : near
    }
  }

  /** Index of the last table that begins at or before `key`, or −1. */
  #lastFrom(key: Uint8Array): number {
    let low = 0
    let high = this.#tables.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { keyFirst } = (this.#tables[middle] as KvTable).meta
      if (this.#order.compare(keyFirst, 0, keyFirst.length, key, 0, key.length) <= 0) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** Index of the first table that ends at or after `key`. */
  #tableOf(key: Uint8Array): number {
    let low = 0
    let high = this.#tables.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { keyLast } = (this.#tables[middle] as KvTable).meta
      if (this.#order.compare(keyLast, 0, keyLast.length, key, 0, key.length) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

function farEnd(stretch: RangeStretch, { reverse }: CursorOptions): KeyCut {
  return reverse ? stretch.lower : stretch.upper
}

function sharesBounds(bounds: { lower: KeyCut; upper: KeyCut }, range: KeyRange, order: KeyOrder): boolean {
  return compareCuts(order, bounds.lower, upperCut(range)) < 0 && compareCuts(order, lowerCut(range), bounds.upper) < 0
}
