/** Where a point lookup puts what it found: one reused object, so that a lookup allocates nothing. */

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
}

const NOTHING = new Uint8Array(0)

export function emptyFound(): Found {
  return { kind: 0, seqno: 0, block: NOTHING, valueStart: 0, valueLength: 0 }
}
