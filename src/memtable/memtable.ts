/**
 * The memtable port: what the shard needs of the structure that holds its newest writes.
 *
 * Reads and cursors are between an engine and its memtable, so any structure fits: a tree, a hash table, a columnar
 * buffer. The shard applies operations in seqno order, freezes, hands the frozen content to a flush job and releases it.
 */

import type { JournalPosition, Seqno } from '../kernel/ids.ts'

/** What a memtable can do. Does not change. */
export interface MemtableSupport {
  /** Can be read as of an older seqno. Where not, a snapshot freezes the memtable. */
  readonly versions: boolean
}

/** The newest writes of a shard: one writer, on one thread, and any readers beside it there. */
export interface Memtable<Operation> {
  /** What may be asked of it. */
  readonly supports: MemtableSupport
  /** Memory taken, in bytes: what counts against `memtableBytes`. */
  readonly bytes: number
  /** Operations applied. */
  readonly count: number
  /**
   * Applies one operation: synchronous, cannot fail for an operation the engine accepted. `seqno` grows with every call.
   *
   * @param operation borrowed for the call
   * @param position where the operation starts in the journal; an engine may keep values there
   */
  apply(operation: Operation, seqno: Seqno, position: JournalPosition): void
  /** No more `apply`. Idempotent. */
  freeze(): void
  /**
   * The frozen content as plain data for a job: structured-clonable, large parts in `SharedArrayBuffer`s.
   * Stays readable until `release()`.
   */
  handOver(): unknown
  /** Gives the memory back. No reader and no job may use it afterwards. */
  release(): void
}
