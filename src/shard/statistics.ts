/** The figures of an owned shard, put together from its parts. */

import type { SpaceReserve } from '../fs/fs.ts'
import type { Counted } from './counters.ts'
import type { VersionFile } from './shard.ts'

/** Of one shard, at one moment. Counts are since it was opened by this owner. */
export interface ShardStatistics {
  /** Of this owner: how often the shard has been taken over. */
  readonly epoch: number
  /** Of the newest version, key columns and the like included. */
  readonly files: number
  /** Of those files together, in bytes. */
  readonly fileBytes: number
  /** Memory of the memtables, in bytes. */
  readonly memtableBytes: number
  /** Memtables that wait to be flushed. */
  readonly frozenTables: number
  /** What the journal takes on storage, in bytes. */
  readonly journalBytes: number
  /** Bytes of writes that wait because writes are held back. */
  readonly queuedBytes: number
  /** Encoded bytes of all operations. */
  readonly writtenBytes: number
  /** Bytes of files that flushes have put into versions. */
  readonly flushedBytes: number
  /** Bytes of files that compactions have put into versions. */
  readonly compactedBytes: number
  /** Flushes that were committed. */
  readonly flushes: number
  /** Rewrites that were committed. */
  readonly compactions: number
  /** Changes that gave files another group, and were committed. */
  readonly moves: number
  /** Jobs that have not settled. */
  readonly jobsRunning: number
  /** Jobs that failed, each attempt counted; they are tried again. */
  readonly jobFailures: number
  /** Answers of workers elsewhere that were wrong, and not put in; their jobs count as failed. */
  readonly rejectedAnswers: number
  /** Such workers were wrong several times in a row: jobs run here for a while. */
  readonly distrustsWorkers: boolean
  /** Milliseconds that writes were held back, all in all. */
  readonly heldMs: number
  /** The disk is full: only what frees space is taken. */
  readonly outOfSpace: boolean
  /** Bytes set aside for that, as long as it is not; 0: there is no reserve, or it was given back. */
  readonly reserveBytes: number
  /** Views that readers hold. */
  readonly pinnedViews: number
  /** Seqnos that readers hold. */
  readonly pinnedSeqnos: number
}

export interface MeasuredParts {
  readonly epoch: number
  readonly view: { readonly version: { readonly files: readonly VersionFile[] } }
  readonly tables: { readonly bytes: number; readonly frozenCount: number }
  readonly journal: { readonly storedBytes: number }
  readonly writes: { readonly queuedBytes: number; readonly writtenBytes: number; readonly heldMs: number }
  readonly jobs: {
    readonly running: number
    readonly failures: number
    readonly distrust: { readonly rejections: number; readonly active: boolean }
  }
  readonly space: { readonly full: boolean }
  readonly views: { readonly pinnedCount: number }
  readonly pins: { list(): readonly unknown[] }
  readonly counted: Counted
  readonly reserve: SpaceReserve | undefined
}

export function statisticsOf(parts: MeasuredParts): ShardStatistics {
  const { files } = parts.view.version
  return {
    epoch: parts.epoch,
    files: files.length,
    fileBytes: files.reduce((sum, file) => sum + file.ref.bytes, 0),
    memtableBytes: parts.tables.bytes,
    frozenTables: parts.tables.frozenCount,
    journalBytes: parts.journal.storedBytes,
    queuedBytes: parts.writes.queuedBytes,
    writtenBytes: parts.writes.writtenBytes,
    ...parts.counted,
    jobsRunning: parts.jobs.running,
    rejectedAnswers: parts.jobs.distrust.rejections,
    distrustsWorkers: parts.jobs.distrust.active,
    jobFailures: parts.jobs.failures,
    heldMs: Math.round(parts.writes.heldMs),
    outOfSpace: parts.space.full,
    reserveBytes: parts.reserve?.heldBytes ?? 0,
    pinnedViews: parts.views.pinnedCount,
    pinnedSeqnos: parts.pins.list().length,
  }
}
