/**
 * Range tombstones at rest: cut into fragments that do not overlap, each with the seqnos of all tombstones over it.
 *
 *      tombstones       fragments
 *      9:   ├─────┤     ├───┼─────┼───┤
 *      4: ├─────────┤     4   9,4   4
 *
 * A lookup is a binary search. Fragments are Pebble's and RocksDB's way of keeping range deletions
 * (pebble, internal/keyspan/fragmenter.go).
 */

import { isAfterCut, lastCutBefore } from './key-cut.ts'
import type { KeyCut } from './key-cut.ts'
import type { KeyOrder } from './key-order.ts'
import { raiseLower, reduceUpper } from './range-tombstone.ts'
import type { RangeStretch, RangeTombstone, RangeTombstones } from './range-tombstone.ts'

/** One stretch between two cuts, and every tombstone that covers the whole of it. */
export interface RangeFragment {
  /** Where it begins. */
  readonly lower: KeyCut
  /** After `lower`. */
  readonly upper: KeyCut
  /** Newest first; at least one. */
  readonly seqnos: readonly number[]
}

/** The fragments of one source, as `RangeTombstones`. Immutable. */
export class FragmentList implements RangeTombstones {
  /** Ascending; none overlaps another. */
  readonly fragments: readonly RangeFragment[]
  readonly count: number
  readonly #order: KeyOrder
  readonly #lowers: readonly KeyCut[]

  /** @param fragments ascending, none overlapping another; kept, not copied */
  constructor(fragments: readonly RangeFragment[], order: KeyOrder) {
    this.fragments = fragments
    this.#order = order
    this.#lowers = fragments.map(({ lower }) => lower)
    this.count = fragments.reduce((sum, { seqnos }) => sum + seqnos.length, 0)
  }

  newest(key: Uint8Array, start: number, limit: number, seqno: number): number {
    const index = lastCutBefore(this.#lowers, this.#order, key, start, limit)
    if (index < 0) return 0
    const fragment = this.fragments[index] as RangeFragment
    return isAfterCut(this.#order, key, start, limit, fragment.upper) ? 0 : newestAt(fragment, seqno)
  }

  stretch(key: Uint8Array, start: number, limit: number, seqno: number, into: RangeStretch): void {
    const { fragments } = this
    const order = this.#order
    const index = lastCutBefore(this.#lowers, order, key, start, limit)
    const fragment = fragments[index]
    if (fragment !== undefined && !isAfterCut(order, key, start, limit, fragment.upper)) {
      raiseLower(into, order, fragment.lower)
      reduceUpper(into, order, fragment.upper)
      into.seqno = newestAt(fragment, seqno)
      return
    }
    const next = fragments[index + 1]
    if (fragment !== undefined) raiseLower(into, order, fragment.upper)
    if (next !== undefined) reduceUpper(into, order, next.lower)
    into.seqno = 0
  }

  list(): readonly RangeTombstone[] {
    return this.fragments.flatMap(({ lower, upper, seqnos }) => seqnos.map((seqno) => ({ lower, upper, seqno })))
  }
}

function newestAt({ seqnos }: RangeFragment, seqno: number): number {
  for (const each of seqnos) if (each <= seqno) return each
  return 0
}
