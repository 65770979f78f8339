/** What ordered memtables apply: a put or a delete of one key, or the deletion of a range of keys. */

import type { EntryKind } from '../kernel/entry.ts'
import type { KeyCut } from '../kernel/key-cut.ts'

export interface EntryOperation {
  readonly key: Uint8Array
  /** Empty for deletes. */
  readonly value: Uint8Array
  readonly kind: EntryKind
}

/** Not the kind of an entry: a range deletion is never among the entries of a table. */
export const RANGE_DELETE = 3

export interface RangeDeletion {
  readonly kind: typeof RANGE_DELETE
  readonly lower: KeyCut
  /** After `lower`. */
  readonly upper: KeyCut
}

export type OrderedOperation = EntryOperation | RangeDeletion
