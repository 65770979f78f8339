/** How an engine fills a memtable from the journal, where it has a faster way than operation by operation. */

import type { Decoder } from '../kernel/codec.ts'
import type { JournalPosition, Seqno } from '../kernel/ids.ts'

/** What `Engine.load` gives: fills one memtable, once. */
export interface TableLoad {
  /** Takes the next operation, as `Engine.decode` would read it. `seqno` grows with every call. */
  take(from: Decoder, seqno: Seqno, position: JournalPosition): void
  /**
   * Goes on with putting in order what was taken, for a few milliseconds at most; the memtable may be frozen by then.
   *
   * @returns true: the memtable has everything, as if each operation had been applied; false: call again, in a later turn
   */
  finish(): boolean
}
