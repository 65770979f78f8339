/**
 * What flushes and merges have in common: entries from a cursor and range tombstones, filtered, into tables of bounded
 * size.
 *
 * Both are plain functions of their specification, so that a job may run in a worker, elsewhere, or twice.
 */

import { PENDING } from '../../kernel/cursor.ts'
import type { Cursor } from '../../kernel/cursor.ts'
import { EntryBatch } from '../../kernel/entry-batch.ts'
import type { RangeFragment } from '../../kernel/fragment-list.ts'
import { AFTER_ALL, cutBefore } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { MIB } from '../../kernel/limits.ts'
import type { JobContext, JobOutput } from '../../jobs/jobs.ts'
import { filterFragments } from './fragmentation.ts'
import type { TableParameters } from './job-parameters.ts'
import { RangeOutputs } from './range-outputs.ts'
import type { Stripes } from './stripes.ts'
import { TableOutput } from './table-output.ts'
import { VersionFilter } from './version-filter.ts'

// Finished blocks that may wait before the sink is asked to take them.
const PENDING_BYTES_MAX = 1 * MIB

export interface WrittenTables {
  readonly outputs: readonly JobOutput[]
  readonly entriesRead: number
  readonly entriesDropped: number
}

/** What goes into tables. */
export interface TableContent {
  /** Entries in order, newest first within a key. */
  readonly cursor: Cursor
  /** Range tombstones, with the newest seqno of each of `stripes`. */
  readonly fragments: readonly RangeFragment[]
  readonly stripes: Stripes
}

/** Writes `content` and closes its cursor. */
export async function writeTables(
  { cursor, fragments, stripes }: TableContent,
  order: KeyOrder,
  parameters: TableParameters,
  context: JobContext,
): Promise<WrittenTables> {
  const filter = new VersionFilter(stripes, parameters.bottom, fragments, order)
  const ranges = new RangeOutputs(keptFragments({ fragments, stripes }, parameters.bottom), order)
  const batch = new EntryBatch()
  const outputs: JobOutput[] = []
  const open = (): Promise<TableOutput> => TableOutput.open(order, parameters, context)
  let output: TableOutput | undefined
  let entriesRead = 0
  try {
    for (;;) {
      const count = cursor.next(batch)
      if (count === PENDING) {
        await cursor.fill(context.signal)
        continue
      }
      if (count === 0) break
      entriesRead += count
      // Entries [runStart, index) are kept and go over together.
      let runStart = 0
      let runBytes = 0
      for (let index = 0; index < count; index++) {
        // All versions of a key stay in one table: a level has one table for each key.
        if (filter.startsKey(batch, index) && output !== undefined && output.bytes + runBytes >= output.nextStopBytes) {
          output.append(batch, runStart, index)
          runStart = index
          runBytes = 0
          const key = batch.keyAt(index)
          if (output.isFull) {
            outputs.push(...(await output.finish(ranges.takeUntil(cutBefore(key)))))
            output = undefined
          } else output.sample(key)
        }
        if (filter.keeps(batch, index)) {
          output ??= await open()
          runBytes += sizeOf(batch, index)
          if (runBytes < PENDING_BYTES_MAX) continue
          output.append(batch, runStart, index + 1)
          if (output.pendingBytes >= PENDING_BYTES_MAX) await output.drain()
        } else output?.append(batch, runStart, index)
        runStart = index + 1
        runBytes = 0
      }
      output?.append(batch, runStart, count)
      if (output !== undefined && output.pendingBytes >= PENDING_BYTES_MAX) await output.drain()
      context.progress(Math.min(1, entriesRead / Math.max(1, parameters.entriesExpected)))
      await context.pause()
    }
    const rest = ranges.takeUntil(AFTER_ALL)
    if (rest.length > 0) output ??= await open()
    if (output !== undefined) outputs.push(...(await output.finish(rest)))
    return { outputs, entriesRead, entriesDropped: filter.dropped }
  } catch (error) {
    await output?.abort()
    throw error
  } finally {
    cursor.close()
  }
}

/** At the bottom there is nothing left to hide, but for readers whom a pin keeps in an older stripe. */
export function keptFragments(
  { fragments, stripes }: Pick<TableContent, 'fragments' | 'stripes'>,
  bottom: boolean,
): readonly RangeFragment[] {
  return bottom ? filterFragments(fragments, (seqno) => stripes.of(seqno) > 0) : fragments
}

/** Bytes of key and value. */
function sizeOf({ keyStarts, valueLengths }: EntryBatch, index: number): number {
  return (keyStarts[index + 1] as number) - (keyStarts[index] as number) + (valueLengths[index] as number)
}
