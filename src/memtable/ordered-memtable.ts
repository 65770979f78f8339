/** Memtables of ordered keys: what the port leaves between an engine and its memtable, for key-value engines. */

import type { Cursor, CursorOptions } from '../kernel/cursor.ts'
import type { EntryKind } from '../kernel/entry.ts'
import type { Found } from '../kernel/found.ts'
import type { Seqno } from '../kernel/ids.ts'
import type { KeyCut } from '../kernel/key-cut.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import type { RangeTombstones } from '../kernel/range-tombstone.ts'
import type { OrderedOperation } from './entry-operation.ts'
import type { Memtable, MemtableSupport } from './memtable.ts'

/** The reading half: of a memtable, or of a frozen one that was handed to another thread. */
export interface OrderedReader {
  /** Operations applied: versions of all keys, and range deletions. */
  readonly count: number
  /** Distinct keys. */
  readonly keyCount: number
  /** Of the first operation; 0 while there is none. */
  readonly seqnoFirst: Seqno
  /** Of the last operation; 0 while there is none. */
  readonly seqnoLast: Seqno
  /** The range deletions. Live: what is applied later is seen at its seqno. */
  readonly rangeTombstones: RangeTombstones
  /**
   * The newest version of `key` at or below `seqno`, deletions included: true when `into` has it, false when there is
   * none. A range deletion is a deletion of every key it covers, with its own seqno. `into.block` is memory of the
   * memtable, valid until it is released.
   */
  get(key: Uint8Array, seqno: Seqno, into: Found): boolean
  /**
   * Entries in order, also those that a range deletion covers, never PENDING. Survives operations between pulls; whether it sees those that were applied after it
   * was opened depends on their seqno alone. Values are views of the memtable's memory, valid until it is released.
   *
   * @throws {TypeError} `reverse` with `versions: 'all'`
   */
  cursor(options: CursorOptions): Cursor
  /** Bytes of the keys in `range` with all their versions, as a share of what keys take; cheap, right to about a node. */
  approximateBytes(range: KeyRange): number
}

/** Readers ask at seqnos that others have written beyond: without versions there is nothing to answer them with. */
export interface OrderedMemtableSupport extends MemtableSupport {
  readonly versions: true
  /** Takes what replay brings faster than operation by operation: `load`. */
  readonly load: boolean
}

/** A memtable that is read by key, at any seqno. */
export interface OrderedMemtable extends Memtable<OrderedOperation>, OrderedReader {
  /** What may be asked of it. */
  readonly supports: OrderedMemtableSupport
  /**
   * Begins to fill the memtable, to which nothing has been applied. Until `finish` says that it is done, readers see no
   * entry, and no operation may be applied; `bytes` grows with what is taken.
   *
   * @throws {VarveError} UNSUPPORTED — `supports.load` is false
   */
  load(): OrderedLoad
}

/** Many operations, in order of their seqnos, for a memtable that puts them in order of their keys at the end. */
export interface OrderedLoad {
  /**
   * Takes a put or a delete of bytes[keyStart … keyLimit), with the value bytes[valueStart … valueLimit), empty for a
   * delete.
   *
   * @param bytes borrowed for the call
   */
  entry(
    kind: EntryKind,
    bytes: Uint8Array,
    keyStart: number,
    keyLimit: number,
    valueStart: number,
    valueLimit: number,
    seqno: Seqno,
  ): void
  /** Takes the deletion of what is between two cuts, borrowed for the call. */
  deleteRange(lower: KeyCut, upper: KeyCut, seqno: Seqno): void
  /**
   * Goes on with putting in order what was taken, for a few milliseconds at most. Nothing more can be taken after the
   * first call; the memtable may be frozen before the last.
   *
   * @returns true: the memtable has everything, and is as if it had been applied; false: call again, in a later turn
   */
  finish(): boolean
}
