/**
 * What a journal of rows needs of the tables it is kept in: narrow, so that what is done when answers are lost can be tested
 * without a server that loses them.
 */

import type { ShardId } from '../../kernel/ids.ts'

/** One row of a shard's log: several small batches, or a part of a large one. */
export interface JournalRow {
  /** Position of its first payload byte. */
  readonly position: number
  /** Payload bytes. */
  readonly size: number
  /** Where the batch begins that it is a part of; its own position where it is none. */
  readonly batch: number
  readonly kind: RowKind
  /** u64, over everything else: see row-codec.ts. */
  readonly checksum: bigint
  /** As it is stored. */
  readonly content: Uint8Array
}

/** `batches`: each with its length in front; `part`: of a batch that goes on; `last`: of one that ends here. */
export type RowKind = 'batches' | 'part' | 'last'

/** The row of a shard. */
export interface LogState {
  readonly epoch: number
  /** Names the opening that may append. */
  readonly owner: string
  /** Position of the oldest row. */
  readonly start: number
  /** Position just past the newest row. */
  readonly end: number
}

export interface RowAppend {
  readonly shard: ShardId
  readonly epoch: number
  readonly owner: string
  /** Where the log has to end now. */
  readonly start: number
  /** Where it ends afterwards. As `start` where there are no rows: then it is the commit that counts. */
  readonly end: number
  readonly rows: readonly JournalRow[]
  /** Answered when it is on stable storage, here and on every standby that is to confirm commits, and all before it. */
  readonly durable: boolean
}

/** What became of an append that was answered. */
export type RowOutcome =
  /** It is committed. */
  | 'done'
  /** It is committed; whether standbys have it is not known. */
  | 'unconfirmed'
  /** Nothing was done: another owner, or another end. */
  | 'refused'

export interface JournalTable {
  /**
   * Makes `owner` the owner, durably, where no higher epoch has been here. What is there is committed, and so is everything
   * it depends on.
   *
   * @returns the state after that: of another owner where there is a higher epoch
   */
  claim(shard: ShardId, epoch: number, owner: string): Promise<LogState>
  look(shard: ShardId): Promise<LogState | undefined>
  /**
   * Once.
   *
   * @throws {SqlFailure} with `answered: false` it may have been done, or may yet be
   */
  append(append: RowAppend): Promise<RowOutcome>
  /** Rows with a payload byte at or after `from` and before `limit`, in order: the first, and more up to `bytesMax`. */
  rows(shard: ShardId, from: number, limit: number, bytesMax: number): Promise<readonly JournalRow[]>
  /** Where the newest row ends; undefined: there is none. */
  rowsEnd(shard: ShardId): Promise<number | undefined>
  /** Where the batch begins that the byte at `position` is stored with, or the first one after it. */
  batchStart(shard: ShardId, position: number): Promise<number | undefined>
  /** Moves the start of the log. False: another owner. */
  moveStart(shard: ShardId, epoch: number, owner: string, start: number): Promise<boolean>
  /** Deletes a bounded number of rows before `position`. @returns how many */
  deleteBefore(shard: ShardId, position: number): Promise<number>
}
