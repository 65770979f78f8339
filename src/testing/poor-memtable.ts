/**
 * A memtable of ordered keys poorer than the tree: its cursors give one entry at a time, and all that it has lent is
 * overwritten when it is released, as memory is that goes back to a pool; and it cannot be loaded. Around a sorted array it also hands over an
 * image without shared memory.
 */

import { copyOf } from '../kernel/bytes.ts'
import type { Cursor, CursorOptions } from '../kernel/cursor.ts'
import { PENDING } from '../kernel/cursor.ts'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { VarveError } from '../kernel/errors.ts'
import type { Found } from '../kernel/found.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import type { RangeTombstones } from '../kernel/range-tombstone.ts'
import type { OrderedOperation } from '../memtable/entry-operation.ts'
import type { OrderedMemtable } from '../memtable/ordered-memtable.ts'

/** A memtable over another, with no more than the port promises. */
export class PoorMemtable implements OrderedMemtable {
  readonly #inner: OrderedMemtable
  readonly #lent: Uint8Array[] = []

  /** @param inner released with this one */
  constructor(inner: OrderedMemtable) {
    this.#inner = inner
  }

  get supports(): OrderedMemtable['supports'] {
    return { ...this.#inner.supports, load: false }
  }

  get bytes(): number {
    return this.#inner.bytes
  }

  get count(): number {
    return this.#inner.count
  }

  get keyCount(): number {
    return this.#inner.keyCount
  }

  get seqnoFirst(): Seqno {
    return this.#inner.seqnoFirst
  }

  get seqnoLast(): Seqno {
    return this.#inner.seqnoLast
  }

  get rangeTombstones(): RangeTombstones {
    return this.#inner.rangeTombstones
  }

  apply(operation: OrderedOperation, seqno: Seqno, position: JournalPosition): void {
    this.#inner.apply(operation, seqno, position)
  }

  load(): never {
    throw new VarveError('UNSUPPORTED', 'a poor memtable has no load', { details: { capability: 'load' } })
  }

  get(key: Uint8Array, seqno: Seqno, into: Found): boolean {
    if (!this.#inner.get(key, seqno, into)) return false
    into.block = this.#lend(into.block.subarray(into.valueStart, into.valueStart + into.valueLength))
    into.valueStart = 0
    return true
  }

  cursor(options: CursorOptions): Cursor {
    return new OneByOne(this.#inner.cursor(options), (value) => this.#lend(value))
  }

  approximateBytes(range: KeyRange): number {
    return this.#inner.approximateBytes(range)
  }

  freeze(): void {
    this.#inner.freeze()
  }

  handOver(): unknown {
    return this.#inner.handOver()
  }

  release(): void {
    for (const block of this.#lent.splice(0)) block.fill(0xdb)
    this.#inner.release()
  }

  #lend(value: Uint8Array): Uint8Array {
    const block = copyOf(value)
    this.#lent.push(block)
    return block
  }
}

class OneByOne implements Cursor {
  readonly #inner: Cursor
  readonly #lend: (value: Uint8Array) => Uint8Array
  readonly #entry = new EntryBatch(1)

  constructor(inner: Cursor, lend: (value: Uint8Array) => Uint8Array) {
    this.#inner = inner
    this.#lend = lend
  }

  next(into: EntryBatch): number | typeof PENDING {
    const count = this.#inner.next(this.#entry)
    into.clear()
    if (count === PENDING || count === 0) return count
    const key = this.#entry.keyAt(0)
    const value = this.#lend(this.#entry.valueAt(0))
    const start = into.reserveKey(key.length)
    into.keys.set(key, start)
    const [seqno, kind] = [this.#entry.seqnos[0] as number, this.#entry.kinds[0] as number]
    into.push(key.length, seqno, kind, into.block(value), 0, value.length)
    return 1
  }

  fill(signal?: AbortSignal): Promise<void> {
    return this.#inner.fill(signal)
  }

  fillSync(): void {
    this.#inner.fillSync()
  }

  close(): void {
    this.#inner.close()
  }
}
