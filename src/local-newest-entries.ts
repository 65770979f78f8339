/** Which entries count of all that were saved: of every key the newest, unless a range deletion is newer still. */

import { SEQNO_MAX } from './kernel/ids.ts'
import type { KeyOrder } from './kernel/key-order.ts'
import type { RangeTombstone } from './kernel/range-tombstone.ts'
import type { SalvagedEntry } from './local-salvage-visitor.ts'
import { TombstoneLog } from './memtable/tombstone-log.ts'

export class NewestEntries {
  readonly #order: KeyOrder
  /** By key, a character for each byte. */
  readonly #seqnos = new Map<string, number>()
  /** As they were found: those of tables before those of the journal, some of them twice. */
  #found: RangeTombstone[] = []
  #tombstones: TombstoneLog | undefined

  constructor(order: KeyOrder) {
    this.#order = order
  }

  add(key: Uint8Array, seqno: number): void {
    const text = textOf(key)
    if (seqno > (this.#seqnos.get(text) ?? -1)) this.#seqnos.set(text, seqno)
  }

  /** Before the first `take`. */
  cover(tombstone: RangeTombstone): void {
    this.#found.push(tombstone)
  }

  /** Whether the entry is what its key has now. True once only: the same entry may be in a table and in the journal. */
  take({ key, seqno }: SalvagedEntry): boolean {
    const text = textOf(key)
    if (this.#seqnos.get(text) !== seqno) return false
    this.#seqnos.set(text, Infinity)
    this.#tombstones ??= this.#sorted()
    return this.#tombstones.newest(key, 0, key.length, SEQNO_MAX) <= seqno
  }

  /** Looked for by key, all of them: nobody is to look at hundreds of thousands for every entry. */
  #sorted(): TombstoneLog {
    const log = new TombstoneLog(this.#order, 0)
    for (const { lower, upper, seqno } of this.#found.sort((a, b) => a.seqno - b.seqno)) log.add(lower, upper, seqno)
    this.#found = []
    return log
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1')
}
