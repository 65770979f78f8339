/** Where a point lookup puts what it found: one reused object, so that a lookup allocates nothing. */

import { ENTRY_DELETE } from './entry.ts'

/** One lookup's answer, overwritten by the next lookup that is given the same object. */
export interface Found {
  /** An `EntryKind`. */
  kind: number
  /** Of the entry that was found, an integer below 2^53. */
  seqno: number
  /**
   * The value is `block[valueStart … + valueLength)`. A block of a table is valid as long as the object is held, one of a
   * memtable until the memtable is released.
   */
  block: Uint8Array
  /** Where the value begins in `block`, in bytes. */
  valueStart: number
  /** Length of the value, in bytes; 0 for a deletion. */
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

/** A new one that holds nothing yet. */
export function emptyFound(): Found {
  return { kind: 0, seqno: 0, block: NOTHING, valueStart: 0, valueLength: 0, own: false }
}
