/**
 * Decodes stored blocks of row tables (docs/formats/row-table.md, version 2) beside the event loop: a component, where there
 * is one (the native addon).
 */

import type { DecodeTasks } from './decode-tasks.ts'

/** A thread for decoding. It may have no room: then its caller decodes by itself. */
export interface DecodeThread {
  /**
   * Memory for the stored bytes of the next group, lent until the next call. Undefined while the thread has enough to do, and
   * where there is none.
   */
  room(length: number): Uint8Array | undefined
  /**
   * Checks, decompresses and unpacks the blocks of `tasks` from `stored`, which may be in what `room` gave, into `memory`. All
   * three are the thread's until it calls `done`, within `poll` or a turn of the event loop.
   *
   * @param done must not throw
   */
  begin(stored: Uint8Array, memory: Uint8Array, tasks: DecodeTasks, done: () => void): void
  /** Calls `done` of what is done: for those who cannot wait for the event loop to turn. */
  poll(): void
  /** Waits for what has begun. Idempotent; there is no room after it. */
  close(): Promise<void>
}
