/**
 * Which keys the range tombstones of one source of a view cover: a memtable, a table of level 0, or a deeper level as one
 * run.
 */

import { PENDING } from '../../kernel/cursor.ts'
import type { Pending } from '../../kernel/cursor.ts'
import { isAfterCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { raiseLower, reduceUpper } from '../../kernel/range-tombstone.ts'
import type { RangeStretch, RangeTombstones } from '../../kernel/range-tombstone.ts'
import type { BlockFetch } from '../../sst/block-fetch.ts'
import type { KvTable } from './levels.ts'

export interface RangeCover {
  /**
   * Narrows `into`, which holds `key[start…limit)`, to where the newest tombstone at or below `seqno` is the same as at
   * the key, and sets its seqno. PENDING: `into` is anything.
   */
  stretch(
    key: Uint8Array,
    start: number,
    limit: number,
    seqno: number,
    into: RangeStretch,
    fetch: BlockFetch,
  ): true | Pending
}

/** Tombstones that are at hand. */
export class MemoryCover implements RangeCover {
  readonly #tombstones: RangeTombstones

  constructor(tombstones: RangeTombstones) {
    this.#tombstones = tombstones
  }

  stretch(key: Uint8Array, start: number, limit: number, seqno: number, into: RangeStretch): true {
    this.#tombstones.stretch(key, start, limit, seqno, into)
    return true
  }
}

/** Tombstones of tables that are disjoint. Opens a table only where a key is within its bounds. */
export class RunCover implements RangeCover {
  readonly #tables: readonly KvTable[]
  readonly #order: KeyOrder

  /** @param tables those of the run that have range tombstones, in ascending order */
  constructor(tables: readonly KvTable[], order: KeyOrder) {
    this.#tables = tables
    this.#order = order
  }

  stretch(
    key: Uint8Array,
    start: number,
    limit: number,
    seqno: number,
    into: RangeStretch,
    fetch: BlockFetch,
  ): true | Pending {
    const order = this.#order
    const index = this.#firstNotBefore(key, start, limit)
    const table = this.#tables[index]
    if (table === undefined || !isAfterCut(order, key, start, limit, table.meta.lower)) {
      const before = this.#tables[index - 1]
      if (before !== undefined) raiseLower(into, order, before.meta.upper)
      if (table !== undefined) reduceUpper(into, order, table.meta.lower)
      into.seqno = 0
      return true
    }
    raiseLower(into, order, table.meta.lower)
    reduceUpper(into, order, table.meta.upper)
    into.seqno = 0
    if (table.file.seqnoFirst > seqno) return true
    const reader = table.handle.reader(fetch)
    if (reader === PENDING) return PENDING
    const tombstones = reader.rangeTombstones(fetch)
    if (tombstones === PENDING) {
      table.handle.keepOpen(fetch)
      return PENDING
    }
    tombstones.stretch(key, start, limit, seqno, into)
    return true
  }

  /** Index of the first table that does not end before the key. */
  #firstNotBefore(key: Uint8Array, start: number, limit: number): number {
    let low = 0
    let high = this.#tables.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (isAfterCut(this.#order, key, start, limit, (this.#tables[middle] as KvTable).meta.upper)) low = middle + 1
      else high = middle
    }
    return low
  }
}
