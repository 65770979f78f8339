/**
 * The journal port: a log per shard, in a system that may serve many.
 *
 * Positions count payload bytes from the start of the shard's journal, so that they mean the same in every
 * implementation and the writer knows the position of what it is about to append.
 *
 * Promises, for every implementation:
 * - Replay returns batches in append order, each whole or not at all, and what it returns is a prefix of what was appended.
 * - A batch whose `synced` resolved is never lost within the stated fault budget; damage to one is JOURNAL_CORRUPT, never
 *   a shorter replay.
 * - After `open` with a higher epoch resolves, no append of a lower epoch is acknowledged, ever.
 */

import type { Epoch, JournalPosition, ShardId } from '../kernel/ids.ts'

/**
 * How safe an append is before it counts.
 *
 * - `written`: the operating system (or the service) has it: survives this process
 * - `synced`: on stable storage, on a quorum of them where there is one: survives a power cut
 */
export type Durability = 'written' | 'synced'

/** What a system promises. Does not change. */
export interface JournalSupport {
  /** Rungs this journal can promise. Asking for another throws UNSUPPORTED. */
  readonly durability: readonly Durability[]
  /** `read` exists. */
  readonly read: boolean
  /**
   * It opens at `needed` even where a power cut has taken what was before, and gives what is left from there on: what files
   * have taken the place of need not be synced. Default false.
   */
  readonly opensAtNeeded?: boolean
}

/** Journals of any number of shards, each with one writer at a time. */
export interface JournalSystem {
  /** Recorded in the shard's manifest, which refuses to open with another. */
  readonly name: string
  /** Of what is stored. Recorded, too: a newer one is refused. */
  readonly version: number
  /** What may be asked of it. */
  readonly supports: JournalSupport
  /**
   * Fences every epoch below `epoch`, replays nothing yet, and gives the one writer.
   *
   * @param state where this journal keeps its own small durable state: the shard's head
   * @param needed nothing before this position will be asked for, and nothing at or after it was ever truncated: what is
   *   missing there was lost. Default: not known
   * @param options what is nearby may not listen to the signal
   * @throws {VarveError} FENCED — a higher epoch has been here
   * @throws {VarveError} JOURNAL_CORRUPT, IO_FAILED, NO_SPACE, ABORTED — lower epochs may be fenced all the same
   */
  open(
    shard: ShardId,
    epoch: Epoch,
    state: JournalStateKeeper,
    needed?: JournalPosition,
    options?: JournalOpenOptions,
  ): Promise<Journal>
  /**
   * Reads without fencing and without changing anything, for read-only opens and tools.
   *
   * @throws {VarveError} JOURNAL_CORRUPT — also where `state` is not the newest any more: read the head again; ABORTED
   */
  openReadOnly(
    shard: ShardId,
    state: Uint8Array | undefined,
    needed?: JournalPosition,
    options?: JournalOpenOptions,
  ): Promise<JournalReader>
}

/** How a journal is opened. */
export interface JournalOpenOptions {
  /** Gives up opening, with ABORTED. Default: nobody does. */
  readonly signal?: AbortSignal | undefined
}

/** The journal's part of the head. Opaque to the shard. */
export interface JournalStateKeeper {
  /** What was committed last; undefined for a new shard. */
  readonly state: Uint8Array | undefined
  /** Commits a new state with the head's compare-and-set. Rejects with FENCED when another owner took over. */
  commit(state: Uint8Array): Promise<void>
}

/** A journal to be read. Whoever opened it closes it. */
export interface JournalReader {
  /** Position of the oldest batch that is still there. */
  readonly start: JournalPosition
  /**
   * Visits every batch at or after `from`, in order. `visit` borrows the payload for the call.
   *
   * @param again called where it turns out that what was visited was not what the log has: none of it counts, and everything
   *   is visited anew. Default: then it rejects with IO_FAILED, as it does where that goes on for too long
   * @returns the position just past the last batch
   * @throws {VarveError} JOURNAL_CORRUPT — a record that was once synced is damaged, or bytes after `from` are missing
   */
  replay(
    from: JournalPosition,
    visit: (payload: Uint8Array, position: JournalPosition) => void,
    again?: () => void,
  ): Promise<JournalPosition>
  /** Idempotent. */
  close(): Promise<void>
}

/** A journal with its one writer. Whoever opened it closes it. */
export interface Journal extends JournalReader {
  /** As it was opened with. */
  readonly epoch: Epoch
  /** Position just past everything appended: where the next batch starts. Exact after `replay` (or at once, in a new journal). */
  readonly end: JournalPosition
  /**
   * Appends one batch. Order of calls is order in the log; appends of one turn share one write, appends that wait for a
   * sync share the next sync. Call `replay` once before the first append, so that the end is known.
   *
   * @param payload lent until `written` settles; 1 … LIMITS.batchBytesMax bytes
   * @throws {VarveError} UNSUPPORTED — the rung is not offered; LIMIT_EXCEEDED; CLOSED. Nothing was appended.
   */
  append(payload: Uint8Array, durability: Durability): Append
  /**
   * Resolves when everything appended before is synced.
   * @throws {VarveError} UNSUPPORTED — `synced` is not offered; FENCED, OUTCOME_UNKNOWN, JOURNAL_CORRUPT
   */
  sync(): Promise<void>
  /**
   * Payload bytes [position, position + length) of one batch, where `supports.read`.
   * @throws {VarveError} UNSUPPORTED, NOT_FOUND (truncated), JOURNAL_CORRUPT
   */
  read(position: JournalPosition, length: number): Promise<Uint8Array>
  /** Lets the journal drop whole segments before `position`. Never drops a byte at or after it. */
  truncate(before: JournalPosition): Promise<void>
  /** Resolves if this writer is still the owner; rejects with FENCED. */
  barrier(): Promise<void>
  /**
   * Whether there is no space left where the journal is, shared with others: then a shard that does not write, and so is
   * refused nothing, should flush and truncate, too. Asked every few seconds by those that have anything to give back.
   * Default: nobody is asked.
   */
  crowded?(): Promise<boolean>
  /** Bytes appended and not yet written, or not yet acknowledged where that takes a while. */
  readonly pendingBytes: number
  /** Above this many pending bytes, wait for `ready()`. Appends beyond twice that throw BUSY. */
  readonly pendingBytesMax: number
  /** Resolves when no more than `pendingBytesMax` are pending; rejects as appends do where the journal has failed. */
  ready(): Promise<void>
  /** Bytes on storage, for statistics. */
  readonly storedBytes: number
  /** Waits for appends in flight, then releases everything. Idempotent. */
  close(): Promise<void>
}

/**
 * What became of one append.
 *
 * Both promises reject with FENCED (not acknowledged, another owner has the shard) or OUTCOME_UNKNOWN (a write or sync
 * failed; replay may or may not find it). After either, every later append rejects too: close and open anew. Or with
 * JOURNAL_CORRUPT, for good: what the journal stores has gone from under its owner, this and what was acknowledged before.
 * NO_SPACE, OUT_OF_FILES, PERMISSION_DENIED and IO_FAILED reject cleanly: nothing of this batch will be found, and later
 * appends may succeed.
 */
export interface Append {
  /** Position just past the batch. */
  readonly end: JournalPosition
  /** Resolves in append order. */
  readonly written: Promise<void>
  /** Present when `synced` was asked for; resolves after `written`. */
  readonly synced: Promise<void> | undefined
}
