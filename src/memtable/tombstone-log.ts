/**
 * The range tombstones of a memtable, by age.
 *
 *      tombstones   0   1   2   3   4   5   6      oldest first
 *      unions       [0   1] [2   3] [4   5]
 *                   [0   1   2   3]
 *
 * A union is what 2^n neighbours cover together, as sorted ranges that do not overlap. It is made when its last tombstone
 * comes, from its two halves, so that a deletion costs about log n steps. A lookup asks the unions from the newest that
 * is visible to the oldest; the first that covers the key says yes, and its halves say which tombstone it is: (log n)²
 * comparisons, whatever overlaps whatever. Cutting ranges into fragments with the seqnos over each, as tables do it, could
 * take n² of them here, where every seqno may still be read.
 *
 * The forest of unions is Bentley and Saxe's logarithmic method (Decomposable searching problems I, 1980).
 */

import { assert } from '../kernel/assert.ts'
import { Encoder } from '../kernel/codec.ts'
import { compareCuts, copyCut, isAfterCut, lastCutBefore } from '../kernel/key-cut.ts'
import type { KeyCut } from '../kernel/key-cut.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { encodeTombstone, raiseLower, reduceUpper } from '../kernel/range-tombstone.ts'
import type { RangeStretch, RangeTombstone, RangeTombstones } from '../kernel/range-tombstone.ts'

// Making a union holds the thread: 2^12 ranges take about a millisecond. Beyond, a lookup asks one more for every 4096.
const LEVEL_MAX = 12
// Objects and references for one tombstone, with its share of the unions: about what the heap grows by.
const TOMBSTONE_BYTES = 512

interface Union {
  readonly lowers: KeyCut[]
  readonly uppers: KeyCut[]
}

export class TombstoneLog implements RangeTombstones {
  count = 0
  /** Memory taken, about. */
  bytes = 0
  readonly #order: KeyOrder
  readonly #tombstones: RangeTombstone[] = []
  /** By level, from 1 on; within a level by age. */
  readonly #unions: Union[][] = Array.from({ length: LEVEL_MAX + 1 }, () => [])
  /** The tombstones once more, for another thread. */
  #encoder: Encoder | undefined

  constructor(order: KeyOrder) {
    this.#order = order
  }

  /** @param lower borrowed, like `upper`; @param seqno above all others */
  add(lower: KeyCut, upper: KeyCut, seqno: number): void {
    const tombstone = { lower: copyCut(lower), upper: copyCut(upper), seqno }
    this.#encoder ??= new Encoder()
    encodeTombstone(this.#encoder, tombstone)
    this.#tombstones.push(tombstone)
    this.count++
    this.bytes += TOMBSTONE_BYTES + lower.key.length + upper.key.length
    for (let level = 1; level <= LEVEL_MAX && this.count % (1 << level) === 0; level++) {
      const index = (this.count >>> level) - 1
      const union = this.#unite(this.#union(level - 1, index * 2), this.#union(level - 1, index * 2 + 1))
      ;(this.#unions[level] as Union[]).push(union)
    }
  }

  newest(key: Uint8Array, start: number, limit: number, seqno: number): number {
    return this.#search(key, start, limit, seqno, undefined)
  }

  stretch(key: Uint8Array, start: number, limit: number, seqno: number, into: RangeStretch): void {
    into.seqno = this.#search(key, start, limit, seqno, into)
  }

  list(): readonly RangeTombstone[] {
    return this.#tombstones
  }

  /** All tombstones as `decodeTombstones` reads them. */
  encoded(): Uint8Array {
    return this.#encoder?.finish() ?? new Uint8Array(0)
  }

  #search(key: Uint8Array, start: number, limit: number, seqno: number, into: RangeStretch | undefined): number {
    // Unions of 2^n tombstones begin at multiples of 2^n: the lowest bit of where one ends says how large it may be.
    for (let end = this.#countAt(seqno); end > 0;) {
      const level = Math.min(LEVEL_MAX, 31 - Math.clz32(end & -end))
      const index = (end >>> level) - 1
      if (this.#covers(level, index, key, start, limit, into))
        return this.#descend(level, index, key, start, limit, into)
      end -= 1 << level
    }
    return 0
  }

  /** Seqno of the newest tombstone of a union that covers the key. */
  #descend(
    level: number,
    index: number,
    key: Uint8Array,
    start: number,
    limit: number,
    into: RangeStretch | undefined,
  ): number {
    while (level > 0) {
      level--
      index = index * 2 + 1
      if (!this.#covers(level, index, key, start, limit, into)) index--
    }
    const { lower, upper, seqno } = this.#tombstones[index] as RangeTombstone
    if (into !== undefined) {
      raiseLower(into, this.#order, lower)
      reduceUpper(into, this.#order, upper)
    }
    return seqno
  }

  /** Whether one of 2^level tombstones covers the key; where none does, narrows `into` to where that stays so. */
  #covers(
    level: number,
    index: number,
    key: Uint8Array,
    start: number,
    limit: number,
    into: RangeStretch | undefined,
  ): boolean {
    const order = this.#order
    if (level === 0) {
      const { lower, upper } = this.#tombstones[index] as RangeTombstone
      if (!isAfterCut(order, key, start, limit, lower)) {
        if (into !== undefined) reduceUpper(into, order, lower)
        return false
      }
      if (!isAfterCut(order, key, start, limit, upper)) return true
      if (into !== undefined) raiseLower(into, order, upper)
      return false
    }
    const { lowers, uppers } = (this.#unions[level] as Union[])[index] as Union
    const at = lastCutBefore(lowers, order, key, start, limit)
    if (at >= 0 && !isAfterCut(order, key, start, limit, uppers[at] as KeyCut)) return true
    if (into !== undefined) {
      if (at >= 0) raiseLower(into, order, uppers[at] as KeyCut)
      if (at + 1 < lowers.length) reduceUpper(into, order, lowers[at + 1] as KeyCut)
    }
    return false
  }

  /** How many tombstones have a seqno at or below `seqno`. */
  #countAt(seqno: number): number {
    const tombstones = this.#tombstones
    let low = 0
    let high = tombstones.length
    // Most reads see all of them.
    if (high > 0 && (tombstones[high - 1] as RangeTombstone).seqno <= seqno) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((tombstones[middle] as RangeTombstone).seqno <= seqno) low = middle + 1
      else high = middle
    }
    return low
  }

  #union(level: number, index: number): Union {
    if (level > 0) return (this.#unions[level] as Union[])[index] as Union
    const { lower, upper } = this.#tombstones[index] as RangeTombstone
    return { lowers: [lower], uppers: [upper] }
  }

  #unite(a: Union, b: Union): Union {
    const order = this.#order
    const lowers: KeyCut[] = []
    const uppers: KeyCut[] = []
    let last: KeyCut | undefined
    for (let atA = 0, atB = 0; atA < a.lowers.length || atB < b.lowers.length;) {
      const fromA =
        atB === b.lowers.length ||
        (atA < a.lowers.length && compareCuts(order, a.lowers[atA] as KeyCut, b.lowers[atB] as KeyCut) <= 0)
      const lower = (fromA ? a.lowers[atA] : b.lowers[atB]) as KeyCut
      const upper = (fromA ? a.uppers[atA++] : b.uppers[atB++]) as KeyCut
      if (last === undefined || compareCuts(order, lower, last) > 0) {
        lowers.push(lower)
        uppers.push((last = upper))
      } else if (compareCuts(order, upper, last) > 0) uppers[uppers.length - 1] = last = upper
    }
    assert(lowers.length === uppers.length, 'a range of a union has two ends')
    return { lowers, uppers }
  }
}
