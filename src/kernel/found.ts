/** Where a point lookup puts what it found: one reused object, so that a lookup allocates nothing. */

import { ENTRY_DELETE } from './entry.ts'

export interface Found {
  /** An `EntryKind`. */
  kind: number
  seqno: number
  /**
   * The value is `block[valueStart … + valueLength)`. A block of a table is valid as long as the object is held, one of a
   * memtable until the memtable is released.
   */
  block: Uint8Array
  valueStart: number
  valueLength: number
  /** Nobody else has `block`, nor will: the value may be given away as it lies. */
  own: boolean
}

const NOTHING = new Uint8Array(0)

/** What a lookup finds where a range tombstone of `seqno` is the newest. True. */
export function foundDeletion(into: Found, seqno: number): true {
  into.kind = ENTRY_DELETE
  into.seqno = seqno
  into.block = NOTHING
  into.valueStart = into.valueLength = 0
  into.own = false
  return true
}

export function emptyFound(): Found {
  return { kind: 0, seqno: 0, block: NOTHING, valueStart: 0, valueLength: 0, own: false }
}
