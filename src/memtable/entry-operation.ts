/** What ordered memtables apply: a put or a delete of one key. */

import type { EntryKind } from '../kernel/entry.ts'

export interface EntryOperation {
  readonly key: Uint8Array
  /** Empty for deletes. */
  readonly value: Uint8Array
  readonly kind: EntryKind
}
