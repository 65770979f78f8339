/**
 * Which versions of a key a flush or compaction keeps.
 *
 * A reader sees the newest version of its stripe, so of each stripe only that one stays, and not even that where a range
 * tombstone of the same stripe is newer. A deletion may go where nothing older can be left: at the bottom, in the oldest
 * stripe. What stays there needs no seqno to be told from anything: it gets the lowest, which takes no room in a table.
 */

import type { EntryBatch } from '../../kernel/entry-batch.ts'
import { ENTRY_DELETE } from '../../kernel/entry.ts'
import type { RangeFragment } from '../../kernel/fragment-list.ts'
import { isAfterCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { Stripes } from './stripes.ts'

/**
 * The seqno of what everybody sees and nothing lies under: at the bottom, in the oldest stripe. As old as the first
 * operation of all, so that whatever replaces or deletes it, above it or in a newer stripe, is still newer.
 */
export const SEQNO_SETTLED = 1

export class VersionFilter {
  readonly #stripes: Stripes
  readonly #bottom: boolean
  readonly #fragments: readonly RangeFragment[]
  readonly #order: KeyOrder
  #key = new Uint8Array(64)
  /** −1: no key yet. */
  #keyLength = -1
  /** Stripe of the last entry of this key that was seen. */
  #stripe = -1
  /** The first fragment that does not end before the key. */
  #fragment = 0
  /** That fragment covers the key. */
  #covered = false
  /** Entries that were not kept. */
  dropped = 0

  /**
   * @param bottom nothing older than the input exists in its key range
   * @param fragments the range tombstones of the input, with the newest seqno of each stripe
   */
  constructor(stripes: Stripes, bottom: boolean, fragments: readonly RangeFragment[], order: KeyOrder) {
    this.#stripes = stripes
    this.#bottom = bottom
    this.#fragments = fragments
    this.#order = order
  }

  /** True when entry `index` starts another key than the entry seen before. Call before `keeps`. Keys ascend. */
  startsKey(batch: EntryBatch, index: number): boolean {
    const start = batch.keyStarts[index] as number
    const length = (batch.keyStarts[index + 1] as number) - start
    if (length === this.#keyLength && sameBytes(batch.keys, start, this.#key, length)) return false
    if (length > this.#key.length) this.#key = new Uint8Array(length * 2)
    if (length <= 32) for (let byte = 0; byte < length; byte++) this.#key[byte] = batch.keys[start + byte] as number
    else this.#key.set(batch.keys.subarray(start, start + length))
    this.#keyLength = length
    this.#stripe = -1
    if (this.#fragments.length !== 0) this.#findFragment()
    return true
  }

  /** Whether entry `index` stays; one that is settled gets that seqno. Entries come newest first within a key. */
  keeps(batch: EntryBatch, index: number): boolean {
    const seqno = batch.seqnos[index] as number
    const stripe = this.#stripes.of(seqno)
    const hidden = stripe === this.#stripe
    this.#stripe = stripe
    if (
      hidden ||
      (this.#bottom && stripe === 0 && batch.kinds[index] === ENTRY_DELETE) ||
      (this.#covered && this.#isCovered(seqno, stripe))
    ) {
      this.dropped++
      return false
    }
    if (this.#bottom && stripe === 0) batch.seqnos[index] = SEQNO_SETTLED
    return true
  }

  #findFragment(): void {
    const fragments = this.#fragments
    const order = this.#order
    const key = this.#key
    const length = this.#keyLength
    let at = this.#fragment
    while (at < fragments.length && isAfterCut(order, key, 0, length, (fragments[at] as RangeFragment).upper)) at++
    this.#fragment = at
    const fragment = fragments[at]
    this.#covered = fragment !== undefined && isAfterCut(order, key, 0, length, fragment.lower)
  }

  #isCovered(seqno: number, stripe: number): boolean {
    for (const newer of (this.#fragments[this.#fragment] as RangeFragment).seqnos) {
      if (newer < seqno) return false
      if (this.#stripes.of(newer) === stripe) return true
    }
    return false
  }
}

function sameBytes(a: Uint8Array, aStart: number, b: Uint8Array, length: number): boolean {
  for (let index = 0; index < length; index++) if (a[aStart + index] !== b[index]) return false
  return true
}
