/**
 * Memtable of ordered keys as a sorted array: so simple that one can see it is right.
 *
 * The oracle for the B+tree, and good enough for a few thousand keys: inserting moves half the array.
 */

import { assert } from '../kernel/assert.ts'
import { copyOf } from '../kernel/bytes.ts'
import type { Cursor, CursorOptions } from '../kernel/cursor.ts'
import type { EntryBatch } from '../kernel/entry-batch.ts'
import type { EntryKind } from '../kernel/entry.ts'
import { VarveError } from '../kernel/errors.ts'
import { foundDeletion } from '../kernel/found.ts'
import type { Found } from '../kernel/found.ts'
import { SEQNO_ZERO } from '../kernel/ids.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyCut } from '../kernel/key-cut.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { isAtOrAfterLower, isAtOrBeforeUpper } from '../kernel/key-range.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import type { RangeTombstone, RangeTombstones } from '../kernel/range-tombstone.ts'
import { RANGE_DELETE } from './entry-operation.ts'
import type { EntryOperation, OrderedOperation } from './entry-operation.ts'
import type { OrderedLoad, OrderedMemtable, OrderedMemtableSupport, OrderedReader } from './ordered-memtable.ts'
import { TombstoneList } from './tombstone-list.ts'

/** One operation on a key. */
export interface SortedVersion {
  /** Of the operation. */
  readonly seqno: Seqno
  /** Put or deletion. */
  readonly kind: EntryKind
  /** Empty, of a deletion. */
  readonly value: Uint8Array
}

/** A key with everything that was done to it. */
export interface SortedRow {
  /** The memtable's own copy. */
  readonly key: Uint8Array
  /** Newest first. */
  readonly versions: SortedVersion[]
}

/** A frozen sorted array as plain data. */
export interface SortedArrayImage {
  /** Says what it is. */
  readonly kind: 'sorted-array'
  /** Name of the key order. */
  readonly order: string
  /** Ascending by key. */
  readonly rows: readonly SortedRow[]
  /** In order of seqno. */
  readonly rangeTombstones: readonly RangeTombstone[]
}

/** A memtable for tests, and for whoever wants to see how little one is. */
export class SortedArrayMemtable implements OrderedMemtable {
  readonly supports: OrderedMemtableSupport = Object.freeze({ versions: true, load: false })
  /** As given. */
  readonly order: KeyOrder
  bytes = 0
  count = 0
  seqnoFirst: Seqno = SEQNO_ZERO
  seqnoLast: Seqno = SEQNO_ZERO
  #rows: SortedRow[] = []
  #rangeTombstones: TombstoneList
  #state: 'open' | 'frozen' | 'released' = 'open'

  /** @param options.order default BYTEWISE */
  constructor(options: { readonly order?: KeyOrder } = {}) {
    this.order = options.order ?? BYTEWISE
    this.#rangeTombstones = new TombstoneList(this.order)
  }

  get keyCount(): number {
    return this.#rows.length
  }

  get rangeTombstones(): RangeTombstones {
    return this.#rangeTombstones
  }

  apply(operation: OrderedOperation, seqno: Seqno, _position: JournalPosition): void {
    assert(this.#state === 'open', 'memtable is frozen')
    assert(seqno > this.seqnoLast, 'seqno does not grow')
    if (operation.kind === RANGE_DELETE) this.#deleteRange(operation.lower, operation.upper, seqno)
    else this.#applyEntry(operation, seqno)
    this.count++
    this.seqnoLast = seqno
    if (this.count === 1) this.seqnoFirst = seqno
  }

  #deleteRange(lower: KeyCut, upper: KeyCut, seqno: Seqno): void {
    this.#rangeTombstones.add(lower, upper, seqno)
    this.bytes += lower.key.length + upper.key.length + 16
  }

  #applyEntry(operation: EntryOperation, seqno: Seqno): void {
    const key = copyOf(operation.key)
    const version = { seqno, kind: operation.kind, value: copyOf(operation.value) }
    const index = this.#rows.findIndex((row) => this.#compare(row.key, key) >= 0)
    const row = this.#rows[index]
    if (row !== undefined && this.#compare(row.key, key) === 0) row.versions.unshift(version)
    else this.#rows.splice(index < 0 ? this.#rows.length : index, 0, { key, versions: [version] })
    this.bytes += key.length + version.value.length + 16
  }

  load(): OrderedLoad {
    throw new VarveError('UNSUPPORTED', 'a sorted array has no load', { details: { capability: 'load' } })
  }

  get(key: Uint8Array, seqno: Seqno, into: Found): boolean {
    assert(this.#state !== 'released', 'memtable read after its release')
    const row = this.#rows.find((other) => this.#compare(other.key, key) === 0)
    const version = row?.versions.find((other) => other.seqno <= seqno)
    const covered = this.#rangeTombstones.newest(key, 0, key.length, seqno)
    if (covered > (version?.seqno ?? 0)) return foundDeletion(into, covered)
    if (version === undefined) return false
    into.kind = version.kind
    into.seqno = version.seqno
    into.block = version.value
    into.valueStart = 0
    into.valueLength = version.value.length
    into.own = false
    return true
  }

  cursor(options: CursorOptions): Cursor {
    assert(this.#state !== 'released', 'memtable read after its release')
    if (options.reverse && options.versions === 'all') throw new TypeError("reverse needs versions: 'newest'")
    return new SortedArrayCursor((from) => this.#visible(options, from))
  }

  approximateBytes(range: KeyRange): number {
    return this.#inside(range).reduce(
      (sum, row) => row.versions.reduce((total, version) => total + row.key.length + version.value.length + 16, sum),
      0,
    )
  }

  freeze(): void {
    if (this.#state === 'open') this.#state = 'frozen'
  }

  handOver(): SortedArrayImage {
    assert(this.#state === 'frozen', 'only a frozen memtable can be handed over')
    const rangeTombstones = this.#rangeTombstones.list()
    return { kind: 'sorted-array', order: this.order.name, rows: this.#rows, rangeTombstones }
  }

  release(): void {
    this.#state = 'released'
    this.#rows = []
    this.#rangeTombstones = new TombstoneList(this.order)
    this.bytes = 0
  }

  /** Fills an empty memtable with the content of an image. */
  restore({ rows, rangeTombstones }: SortedArrayImage): void {
    this.#rows = [...rows]
    for (const { lower, upper, seqno } of rangeTombstones) this.#rangeTombstones.add(lower, upper, seqno)
    const seqnos = rows.flatMap((row) => row.versions.map((version) => version.seqno))
    seqnos.push(...rangeTombstones.map(({ seqno }) => seqno as Seqno))
    this.count = seqnos.length
    this.seqnoFirst = seqnos.reduce((least, seqno) => (seqno < least ? seqno : least), seqnos[0] ?? SEQNO_ZERO)
    this.seqnoLast = seqnos.reduce((most, seqno) => (seqno > most ? seqno : most), SEQNO_ZERO)
    this.bytes = this.approximateBytes({})
  }

  #compare(a: Uint8Array, b: Uint8Array): number {
    return this.order.compare(a, 0, a.length, b, 0, b.length)
  }

  #inside(range: KeyRange): SortedRow[] {
    return this.#rows.filter(
      ({ key }) =>
        isAtOrAfterLower(range, this.order, key, 0, key.length) &&
        isAtOrBeforeUpper(range, this.order, key, 0, key.length),
    )
  }

  /** Every visible entry after `from`, in the order of the cursor. */
  #visible(options: CursorOptions, from: CursorEntry | undefined): CursorEntry[] {
    const rows = this.#inside(options.range)
    if (options.reverse) rows.reverse()
    const entries = rows.flatMap(({ key, versions }) => {
      const visible = versions.filter((version) => version.seqno <= options.seqno)
      return (options.versions === 'all' ? visible : visible.slice(0, 1)).map((version) => ({ key, version }))
    })
    if (from === undefined) return entries
    return entries.filter(({ key, version }) => {
      const comparison = this.#compare(key, from.key)
      if (comparison === 0) return options.versions === 'all' && version.seqno < from.version.seqno
      return options.reverse ? comparison < 0 : comparison > 0
    })
  }
}

interface CursorEntry {
  readonly key: Uint8Array
  readonly version: SortedVersion
}

/** Looks everything up anew with every pull. */
class SortedArrayCursor implements Cursor {
  readonly #after: (from: CursorEntry | undefined) => CursorEntry[]
  #last: CursorEntry | undefined
  #ended = false
  #closed = false

  constructor(after: (from: CursorEntry | undefined) => CursorEntry[]) {
    this.#after = after
  }

  next(into: EntryBatch): number {
    assert(!this.#closed, 'cursor used after close')
    into.clear()
    if (this.#ended) return 0
    for (const entry of this.#after(this.#last).slice(0, into.capacity)) {
      const { key, version } = entry
      const start = into.reserveKey(key.length)
      into.keys.set(key, start)
      into.push(key.length, version.seqno, version.kind, into.block(version.value), 0, version.value.length)
      this.#last = entry
    }
    this.#ended = into.count === 0
    return into.count
  }

  async fill(): Promise<void> {}

  fillSync(): void {}

  close(): void {
    this.#closed = true
  }
}

/** Reads a frozen sorted array that was handed over. */
export function openSortedArrayImage(image: SortedArrayImage, order: KeyOrder): OrderedReader {
  assert(image.kind === 'sorted-array', 'not the image of a sorted array')
  assert(image.order === order.name, 'key order differs from that of the image')
  const memtable = new SortedArrayMemtable({ order })
  memtable.restore(image)
  memtable.freeze()
  return memtable
}
