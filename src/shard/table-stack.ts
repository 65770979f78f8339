/** The memtables of a shard: one that takes writes, and frozen ones on their way to files. */

import { assert } from '../kernel/assert.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import type { Memtable } from '../memtable/memtable.ts'

/** A frozen memtable and what it covers. */
export interface FrozenTable<Table> {
  readonly table: Table
  readonly positionFirst: JournalPosition
  /** Just past its last operation: where replay starts once it is in files. */
  readonly positionLimit: JournalPosition
  readonly seqnoLast: Seqno
}

export class TableStack<Table extends Memtable<never>> {
  #active: Table
  /** Where the active table's first operation is, or will be, in the journal. */
  #positionFirst: JournalPosition
  /** Oldest first. */
  #frozen: FrozenTable<Table>[] = []

  constructor(active: Table, positionFirst: JournalPosition) {
    this.#active = active
    this.#positionFirst = positionFirst
  }

  get active(): Table {
    return this.#active
  }

  get frozenCount(): number {
    return this.#frozen.length
  }

  get oldestFrozen(): FrozenTable<Table> | undefined {
    return this.#frozen[0]
  }

  get newestFrozen(): FrozenTable<Table> | undefined {
    return this.#frozen.at(-1)
  }

  get bytes(): number {
    return this.#frozen.reduce((sum, slot) => sum + slot.table.bytes, this.#active.bytes)
  }

  /** Newest first, as readers want them. */
  list(): readonly Table[] {
    return [this.#active, ...this.#frozen.map((slot) => slot.table).reverse()]
  }

  /** Freezes the active table, which ends at `positionLimit` and `seqnoLast`, and puts `next` in its place. */
  freeze(next: Table, positionLimit: JournalPosition, seqnoLast: Seqno): void {
    this.#active.freeze()
    this.#frozen.push({ table: this.#active, positionFirst: this.#positionFirst, positionLimit, seqnoLast })
    this.#active = next
    this.#positionFirst = positionLimit
  }

  /** Forgets the oldest frozen table: it is in files. */
  shift(slot: FrozenTable<Table>): void {
    assert(this.#frozen[0] === slot, 'flushed out of order')
    this.#frozen = this.#frozen.slice(1)
  }

  /** Where the first table with operations after `seqno` begins; they end with what the tables before it hold. */
  startAfter(seqno: Seqno): { readonly position: JournalPosition; readonly seqnoBefore: Seqno | undefined } {
    let seqnoBefore: Seqno | undefined
    for (const { positionFirst, seqnoLast } of this.#frozen) {
      if (seqnoLast > seqno) return { position: positionFirst, seqnoBefore }
      seqnoBefore = seqnoLast
    }
    return { position: this.#positionFirst, seqnoBefore }
  }

  /**
   * Puts `next`, which holds what is in the journal from there on, in the place of every table with operations after
   * `seqno`.
   *
   * @returns the tables forgotten
   */
  rewind(seqno: Seqno, next: Table): readonly Table[] {
    const { position } = this.startAfter(seqno)
    const kept = this.#frozen.filter((slot) => slot.seqnoLast <= seqno)
    const dropped = [this.#active, ...this.#frozen.slice(kept.length).map((slot) => slot.table)]
    this.#frozen = kept
    this.#active = next
    this.#positionFirst = position
    return dropped
  }
}
