/**
 * Reading entries in order, synchronously over the bytes that are at hand.
 *
 * The algorithm runs to completion or says that it needs I/O; it never suspends in the middle (the `Pending` error of
 * TigerBeetle's k_way_merge.zig).
 */

import type { EntryBatch } from './entry-batch.ts'
import type { Seqno } from './ids.ts'
import type { KeyRange } from './key-range.ts'

/** Bytes are lacking. Not the end and not an error: `fill()`, then ask again. */
export const PENDING: unique symbol = Symbol('pending')
/** The type of `PENDING`. */
export type Pending = typeof PENDING

/** What a cursor goes over, and what of it is visible. */
export interface CursorOptions {
  /** Keys outside are left out. */
  readonly range: KeyRange
  /** Descending keys. Only with `versions: 'newest'`. */
  readonly reverse: boolean
  /** Entries above are invisible. */
  readonly seqno: Seqno
  /**
   * `newest`: of each key the newest visible entry, deletions included. `all`: every visible entry, newest first within
   * a key.
   */
  readonly versions: 'newest' | 'all'
}

/** Entries in key order, for one caller at a time. Whoever opened it closes it. */
export interface Cursor {
  /**
   * Clears `into` and fills it with entries in key order. Returns how many; 0 at the end, for good; PENDING where bytes
   * are lacking before the first entry (nothing has moved). May return fewer than fit. Entries stay valid until the next
   * call or `close`.
   *
   * @throws {VarveError} TABLE_CORRUPT — a block failed its checks; the cursor does not move past it
   */
  next(into: EntryBatch): number | Pending
  /** Loads what `next()` lacked. The only method that awaits I/O. */
  fill(signal?: AbortSignal): Promise<void>
  /** Twin of `fill`. @throws {VarveError} WOULD_BLOCK — the composition has no synchronous reads */
  fillSync(): void
  /** Idempotent; releases every pin. */
  close(): void
}
