/**
 * The range tombstones of a memtable, by age.
 *
 * A lookup counts how many of them are visible, and asks for the newest of so many that covers the key: log n comparisons,
 * whatever overlaps whatever. Cutting ranges into fragments with the seqnos over each, as tables do it, could take n² of
 * them here, where every seqno may still be read.
 *
 *      oldest                                                   newest
 *      ├──────── in the history: log n ────────┤── waiting: each ──┤
 *
 * A tombstone waits until somebody asks, so that a burst of deletions before a flush, which nobody asks for, takes two thirds
 * of the time. Whoever asks puts some of them into the history, and looks at those that still wait one by one.
 */

import { copyOf } from '../kernel/bytes.ts'
import { Encoder } from '../kernel/codec.ts'
import { isAfterCut } from '../kernel/key-cut.ts'
import type { KeyCut } from '../kernel/key-cut.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { decodeTombstones, encodeTombstone, isBetween, raiseLower, reduceUpper } from '../kernel/range-tombstone.ts'
import type { RangeStretch, RangeTombstone, RangeTombstones } from '../kernel/range-tombstone.ts'
import { CoverHistory } from './cover-history.ts'

// What the heap grows by for one tombstone once it was asked for, measured with keys of 16 to 1,000 bytes, of which up to
// 200,000 were nested, beside each other or anywhere: objects, references and pieces of the history; and keys, which are
// there as they are, once more encoded, and as what the encoder has in reserve.
const TOMBSTONE_BYTES = 740
const KEY_SHARE = 2.6
// Looking at each takes a tenth of a microsecond, putting one into the history some five.
const WAITING_MAX = 16_384
const TAKEN_BY_LOOKUP = 256
const TAKEN_BY_ADDING = 64
// Making the objects of so many takes about as long as a lookup may.
const ENCODED_MAX = 2048

export class TombstoneLog implements RangeTombstones {
  /** Memory taken, about. */
  bytes = 0
  /** Objects for the oldest of them: nobody needs one that was never asked for. */
  readonly #tombstones: RangeTombstone[] = []
  readonly #seqnos: number[] = []
  readonly #order: KeyOrder
  /** Of the first `history.count` of them. */
  readonly #history: CoverHistory
  readonly #waitingMax: number
  readonly #takenByLookup: number
  /** Those that were added here, for another thread, and for the objects that are not made yet. */
  #encoder: Encoder | undefined
  /** Where in it the first tombstone begins that is no object yet. */
  #decodedBytes = 0

  /** @param waitingMax how many may wait; @param takenByLookup how many of them a lookup puts into the history */
  constructor(order: KeyOrder, waitingMax = WAITING_MAX, takenByLookup = TAKEN_BY_LOOKUP) {
    this.#order = order
    this.#history = new CoverHistory(order)
    this.#waitingMax = waitingMax
    this.#takenByLookup = takenByLookup
  }

  get count(): number {
    return this.#seqnos.length
  }

  /** @param lower borrowed, like `upper`; @param seqno above all others */
  add(lower: KeyCut, upper: KeyCut, seqno: number): void {
    this.#encoder ??= new Encoder()
    encodeTombstone(this.#encoder, { lower, upper, seqno })
    this.#seqnos.push(seqno)
    this.bytes += TOMBSTONE_BYTES + Math.ceil(KEY_SHARE * (lower.key.length + upper.key.length))
    if (this.#seqnos.length - this.#tombstones.length >= ENCODED_MAX) this.#decode()
    const inHistory = this.#seqnos.length - this.#waitingMax
    if (inHistory >= this.#history.count + TAKEN_BY_ADDING) this.#takeUpTo(inHistory)
  }

  /** Adds those of another thread, which it keeps a view of: what most jobs do is list them, so that no time is spent to find them. */
  addEncoded(bytes: Uint8Array): void {
    for (const tombstone of decodeTombstones(bytes)) {
      this.#tombstones.push(tombstone)
      this.#seqnos.push(tombstone.seqno)
    }
  }

  newest(key: Uint8Array, start: number, limit: number, seqno: number): number {
    return this.#find(key, start, limit, seqno, undefined)
  }

  stretch(key: Uint8Array, start: number, limit: number, seqno: number, into: RangeStretch): void {
    into.seqno = this.#find(key, start, limit, seqno, into)
  }

  list(): readonly RangeTombstone[] {
    this.#decode()
    return this.#tombstones
  }

  /** All tombstones as `decodeTombstones` reads them. */
  encoded(): Uint8Array {
    return this.#encoder?.finish() ?? new Uint8Array(0)
  }

  #find(key: Uint8Array, start: number, limit: number, seqno: number, into: RangeStretch | undefined): number {
    const tombstones = this.list()
    const history = this.#history
    this.#takeUpTo(Math.max(history.count, tombstones.length - this.#waitingMax) + this.#takenByLookup)
    const visible = this.#countAt(seqno)
    for (let index = visible - 1; index >= history.count; index--) {
      const tombstone = tombstones[index] as RangeTombstone
      if (isBetween(tombstone, this.#order, key, start, limit)) {
        if (into !== undefined) {
          raiseLower(into, this.#order, tombstone.lower)
          reduceUpper(into, this.#order, tombstone.upper)
        }
        return tombstone.seqno
      }
      if (into === undefined) continue
      if (isAfterCut(this.#order, key, start, limit, tombstone.upper)) raiseLower(into, this.#order, tombstone.upper)
      else reduceUpper(into, this.#order, tombstone.lower)
    }
    const newest = history.newest(key, start, limit, Math.min(visible, history.count), into)
    return newest === 0 ? 0 : (tombstones[newest - 1] as RangeTombstone).seqno
  }

  /** Puts the oldest that wait into the history, until it has `count` of all. */
  #takeUpTo(count: number): void {
    const tombstones = this.list()
    const history = this.#history
    for (const limit = Math.min(count, tombstones.length); history.count < limit;) {
      const { lower, upper } = tombstones[history.count] as RangeTombstone
      history.add(lower, upper)
    }
  }

  /** Makes the objects that are missing. Their keys are views of a copy: what is encoded moves when it grows. */
  #decode(): void {
    const encoder = this.#encoder
    if (encoder === undefined || encoder.length === this.#decodedBytes) return
    const rest = copyOf(encoder.view().subarray(this.#decodedBytes))
    this.#decodedBytes = encoder.length
    for (const tombstone of decodeTombstones(rest)) this.#tombstones.push(tombstone)
  }

  /** How many tombstones have a seqno at or below `seqno`. */
  #countAt(seqno: number): number {
    const seqnos = this.#seqnos
    let low = 0
    let high = seqnos.length
    // Most reads see all of them.
    if (high > 0 && (seqnos[high - 1] as number) <= seqno) return high
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((seqnos[middle] as number) <= seqno) low = middle + 1
      else high = middle
    }
    return low
  }
}
