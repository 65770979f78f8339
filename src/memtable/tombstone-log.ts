/**
 * The range tombstones of a memtable, by age.
 *
 * A lookup counts how many of them are visible, and asks for the newest of so many that covers the key: log n comparisons,
 * whatever overlaps whatever. Cutting ranges into fragments with the seqnos over each, as tables do it, could take n² of
 * them here, where every seqno may still be read.
 */

import { Encoder } from '../kernel/codec.ts'
import { copyCut } from '../kernel/key-cut.ts'
import type { KeyCut } from '../kernel/key-cut.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { decodeTombstones, encodeTombstone } from '../kernel/range-tombstone.ts'
import type { RangeStretch, RangeTombstone, RangeTombstones } from '../kernel/range-tombstone.ts'
import { CoverHistory } from './cover-history.ts'

// What the heap grows by for one tombstone, measured with keys of 16 to 1,000 bytes, of which up to 200,000 were nested,
// beside each other or anywhere: objects, references and pieces of the history; and keys, which are there as they are,
// once more encoded, and as what the encoder has in reserve.
const TOMBSTONE_BYTES = 740
const KEY_SHARE = 2.6

export class TombstoneLog implements RangeTombstones {
  /** Memory taken, about. */
  bytes = 0
  readonly #tombstones: RangeTombstone[] = []
  readonly #history: CoverHistory
  /** The tombstones once more, for another thread. */
  #encoder: Encoder | undefined

  constructor(order: KeyOrder) {
    this.#history = new CoverHistory(order)
  }

  get count(): number {
    return this.#tombstones.length
  }

  /** @param lower borrowed, like `upper`; @param seqno above all others */
  add(lower: KeyCut, upper: KeyCut, seqno: number): void {
    const tombstone = { lower: copyCut(lower), upper: copyCut(upper), seqno }
    this.#encoder ??= new Encoder()
    encodeTombstone(this.#encoder, tombstone)
    this.#tombstones.push(tombstone)
    this.bytes += TOMBSTONE_BYTES + Math.ceil(KEY_SHARE * (lower.key.length + upper.key.length))
    this.#history.add(tombstone.lower, tombstone.upper)
  }

  /** Adds those of another thread, which it keeps a view of: what most jobs do is list them, so that no time is spent to find them. */
  addEncoded(bytes: Uint8Array): void {
    for (const tombstone of decodeTombstones(bytes)) this.#tombstones.push(tombstone)
  }

  newest(key: Uint8Array, start: number, limit: number, seqno: number): number {
    return this.#find(key, start, limit, seqno, undefined)
  }

  stretch(key: Uint8Array, start: number, limit: number, seqno: number, into: RangeStretch): void {
    into.seqno = this.#find(key, start, limit, seqno, into)
  }

  list(): readonly RangeTombstone[] {
    return this.#tombstones
  }

  /** All tombstones as `decodeTombstones` reads them. */
  encoded(): Uint8Array {
    return this.#encoder?.finish() ?? new Uint8Array(0)
  }

  #find(key: Uint8Array, start: number, limit: number, seqno: number, into: RangeStretch | undefined): number {
    const tombstones = this.#tombstones
    const history = this.#history
    while (history.count < tombstones.length) {
      const { lower, upper } = tombstones[history.count] as RangeTombstone
      history.add(lower, upper)
    }
    const newest = history.newest(key, start, limit, this.#countAt(seqno), into)
    return newest === 0 ? 0 : (tombstones[newest - 1] as RangeTombstone).seqno
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
}
