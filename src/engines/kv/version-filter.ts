/**
 * Which versions of a key a flush or compaction keeps.
 *
 * Readers look at pinned seqnos or at the newest. Pins cut the versions of a key into stripes; a reader sees the newest
 * of its stripe, so of each stripe only that one stays. A deletion may go where nothing older can be left: at the bottom,
 * in the oldest stripe.
 */

import type { EntryBatch } from '../../kernel/entry-batch.ts'
import { ENTRY_DELETE } from '../../kernel/entry.ts'

export class VersionFilter {
  readonly #pins: Float64Array
  readonly #bottom: boolean
  #key = new Uint8Array(64)
  /** −1: no key yet. */
  #keyLength = -1
  /** Stripe of the last entry of this key that was seen. */
  #stripe = -1
  /** Entries that were not kept. */
  dropped = 0

  /** @param pinnedSeqnos ascending; @param bottom nothing older than the input exists in its key range */
  constructor(pinnedSeqnos: readonly number[], bottom: boolean) {
    this.#pins = Float64Array.from(pinnedSeqnos)
    this.#bottom = bottom
  }

  /** True when entry `index` starts another key than the entry seen before. Call before `keeps`. */
  startsKey(batch: EntryBatch, index: number): boolean {
    const start = batch.keyStarts[index] as number
    const length = (batch.keyStarts[index + 1] as number) - start
    if (length === this.#keyLength && sameBytes(batch.keys, start, this.#key, length)) return false
    if (length > this.#key.length) this.#key = new Uint8Array(length * 2)
    if (length <= 32) for (let byte = 0; byte < length; byte++) this.#key[byte] = batch.keys[start + byte] as number
    else this.#key.set(batch.keys.subarray(start, start + length))
    this.#keyLength = length
    this.#stripe = -1
    return true
  }

  /** Whether entry `index` stays. Entries come newest first within a key. */
  keeps(batch: EntryBatch, index: number): boolean {
    const stripe = this.#stripeOf(batch.seqnos[index] as number)
    const hidden = stripe === this.#stripe
    this.#stripe = stripe
    if (hidden || (this.#bottom && stripe === 0 && batch.kinds[index] === ENTRY_DELETE)) {
      this.dropped++
      return false
    }
    return true
  }

  /** How many pins are below `seqno`: entries between the same two pins are seen by the same readers. */
  #stripeOf(seqno: number): number {
    const pins = this.#pins
    let stripe = pins.length
    while (stripe > 0 && (pins[stripe - 1] as number) >= seqno) stripe--
    return stripe
  }
}

function sameBytes(a: Uint8Array, aStart: number, b: Uint8Array, length: number): boolean {
  for (let index = 0; index < length; index++) if (a[aStart + index] !== b[index]) return false
  return true
}
