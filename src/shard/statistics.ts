/** The figures of an owned shard, put together from its parts. */

import type { SpaceReserve } from '../fs/fs.ts'
import type { Counted } from './counters.ts'
import type { ShardStatistics, VersionFile } from './shard.ts'

export interface MeasuredParts {
  readonly epoch: number
  readonly view: { readonly version: { readonly files: readonly VersionFile[] } }
  readonly tables: { readonly bytes: number; readonly frozenCount: number }
  readonly journal: { readonly storedBytes: number }
  readonly writes: { readonly queuedBytes: number; readonly writtenBytes: number; readonly heldMs: number }
  readonly jobs: { readonly running: number; readonly failures: number }
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
    jobFailures: parts.jobs.failures,
    heldMs: Math.round(parts.writes.heldMs),
    outOfSpace: parts.space.full,
    reserveBytes: parts.reserve?.heldBytes ?? 0,
    pinnedViews: parts.views.pinnedCount,
    pinnedSeqnos: parts.pins.list().length,
  }
}
