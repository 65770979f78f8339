/** Which entries count of all that were saved: of every key the newest, unless a range deletion is newer still. */

import { isAfterCut } from './kernel/key-cut.ts'
import type { KeyOrder } from './kernel/key-order.ts'
import type { RangeTombstone } from './kernel/range-tombstone.ts'
import type { SalvagedEntry } from './local-salvage.ts'

export class NewestEntries {
  readonly #order: KeyOrder
  /** By key, a character for each byte. */
  readonly #seqnos = new Map<string, number>()
  readonly #tombstones: RangeTombstone[] = []

  constructor(order: KeyOrder) {
    this.#order = order
  }

  add(key: Uint8Array, seqno: number): void {
    const text = textOf(key)
    if (seqno > (this.#seqnos.get(text) ?? -1)) this.#seqnos.set(text, seqno)
  }

  cover(tombstone: RangeTombstone): void {
    this.#tombstones.push(tombstone)
  }

  /** Whether the entry is what its key has now. True once only: the same entry may be in a table and in the journal. */
  take({ key, seqno }: SalvagedEntry): boolean {
    const text = textOf(key)
    if (this.#seqnos.get(text) !== seqno) return false
    this.#seqnos.set(text, Infinity)
    return !this.#tombstones.some((tombstone) => tombstone.seqno > seqno && this.#isInside(key, tombstone))
  }

  #isInside(key: Uint8Array, { lower, upper }: RangeTombstone): boolean {
    return isAfterCut(this.#order, key, 0, key.length, lower) && !isAfterCut(this.#order, key, 0, key.length, upper)
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}
