/** What ordered memtables apply: a put or a delete of one key, or the deletion of a range of keys. */

import type { EntryKind } from '../kernel/entry.ts'
import type { KeyCut } from '../kernel/key-cut.ts'

/** A put or a delete of one key. Borrowed for the call that applies it. */
export interface EntryOperation {
  /** Any length, none too. */
  readonly key: Uint8Array
  /** Empty for deletes. */
  readonly value: Uint8Array
  /** A put or a delete. */
  readonly kind: EntryKind
}

/** Not the kind of an entry: a range deletion is never among the entries of a table. */
export const RANGE_DELETE = 3

/** The deletion of every key between two cuts. Borrowed for the call that applies it. */
export interface RangeDeletion {
  /** Says that it is one. */
  readonly kind: typeof RANGE_DELETE
  /** Where it begins. */
  readonly lower: KeyCut
  /** After `lower`. */
  readonly upper: KeyCut
}

/** What an ordered memtable applies. */
export type OrderedOperation = EntryOperation | RangeDeletion
