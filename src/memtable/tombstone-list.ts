/** Range tombstones as a list that is looked through from end to end: the oracle for the tombstone log. */

import { copyCut, isAfterCut } from '../kernel/key-cut.ts'
import type { KeyCut } from '../kernel/key-cut.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { isBetween, raiseLower, reduceUpper } from '../kernel/range-tombstone.ts'
import type { RangeStretch, RangeTombstone, RangeTombstones } from '../kernel/range-tombstone.ts'

export class TombstoneList implements RangeTombstones {
  readonly #order: KeyOrder
  readonly #tombstones: RangeTombstone[] = []

  constructor(order: KeyOrder) {
    this.#order = order
  }

  get count(): number {
    return this.#tombstones.length
  }

  add(lower: KeyCut, upper: KeyCut, seqno: number): void {
    this.#tombstones.push({ lower: copyCut(lower), upper: copyCut(upper), seqno })
  }

  newest(key: Uint8Array, start: number, limit: number, seqno: number): number {
    const covering = this.#tombstones.filter(
      (each) => each.seqno <= seqno && isBetween(each, this.#order, key, start, limit),
    )
    return covering.reduce((newest, each) => Math.max(newest, each.seqno), 0)
  }

  /** Between the nearest two cuts of any visible tombstone. */
  stretch(key: Uint8Array, start: number, limit: number, seqno: number, into: RangeStretch): void {
    into.seqno = this.newest(key, start, limit, seqno)
    for (const each of this.#tombstones) {
      if (each.seqno > seqno) continue
      for (const cut of [each.lower, each.upper]) {
        if (isAfterCut(this.#order, key, start, limit, cut)) raiseLower(into, this.#order, cut)
        else reduceUpper(into, this.#order, cut)
      }
    }
  }

  list(): readonly RangeTombstone[] {
    return this.#tombstones
  }
}
