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
import type { TableWriter } from '../../sst/sst.ts'
import { filterFragments } from './fragmentation.ts'
import type { TableParameters } from './job-parameters.ts'
import { RangeOutputs } from './range-outputs.ts'
import type { Stripes } from './stripes.ts'
import { tableFormat } from './table-formats.ts'
import { encodeTableMeta, tableMetaOf } from './table-meta.ts'
import { VersionFilter } from './version-filter.ts'

// Finished blocks that may wait before the sink is asked to take them.
const PENDING_BYTES_MAX = 1 * MIB
const FILE_EXTENSION = 'table'

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
  entriesExpected: number,
): Promise<WrittenTables> {
  const filter = new VersionFilter(stripes, parameters.bottom, fragments, order)
  // At the bottom there is nothing left to hide, but for readers whom a pin keeps in an older stripe.
  const kept = parameters.bottom ? filterFragments(fragments, (seqno) => stripes.of(seqno) > 0) : fragments
  const ranges = new RangeOutputs(kept, order)
  const batch = new EntryBatch()
  const outputs: JobOutput[] = []
  let writer: TableWriter | undefined
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
      let runStart = 0
      for (let index = 0; index < count; index++) {
        const startsKey = filter.startsKey(batch, index)
        // All versions of a key stay in one table: a level has one table for each key.
        if (startsKey && writer !== undefined && writer.bytes >= parameters.tableBytes) {
          writer.append(batch, runStart, index)
          runStart = index
          outputs.push(await finish(writer, ranges.takeUntil(cutBefore(batch.keyAt(index))), order, parameters))
          writer = undefined
        }
        if (!filter.keeps(batch, index)) {
          if (index > runStart)
            writer = append(writer ?? (await openWriter(order, parameters, context)), batch, runStart, index)
          runStart = index + 1
        } else {
          writer ??= await openWriter(order, parameters, context)
        }
      }
      if (count > runStart)
        writer = append(writer ?? (await openWriter(order, parameters, context)), batch, runStart, count)
      if (writer !== undefined && writer.pendingBytes >= PENDING_BYTES_MAX) await writer.drain()
      context.progress(Math.min(1, entriesRead / Math.max(1, entriesExpected)))
      await context.pause()
    }
    const rest = ranges.takeUntil(AFTER_ALL)
    if (rest.length > 0) writer ??= await openWriter(order, parameters, context)
    if (writer !== undefined) outputs.push(await finish(writer, rest, order, parameters))
    return { outputs, entriesRead, entriesDropped: filter.dropped }
  } catch (error) {
    await writer?.abort()
    throw error
  } finally {
    cursor.close()
  }
}

function append(writer: TableWriter, batch: EntryBatch, start: number, limit: number): TableWriter {
  writer.append(batch, start, limit)
  return writer
}

async function openWriter(order: KeyOrder, parameters: TableParameters, context: JobContext): Promise<TableWriter> {
  const sink = await context.files.create(context.outputName(FILE_EXTENSION), { signal: context.signal })
  return tableFormat(parameters.format).writer(sink, { order, hash: context.hash, settings: parameters.formatSettings })
}

/** @param fragments what the table has of the range tombstones */
async function finish(
  writer: TableWriter,
  fragments: readonly RangeFragment[],
  order: KeyOrder,
  parameters: TableParameters,
): Promise<JobOutput> {
  for (const fragment of fragments) writer.appendRange(fragment)
  const { ref, properties } = await writer.finish()
  return {
    ref,
    format: parameters.format,
    group: parameters.group,
    seqnoFirst: properties.seqnoFirst,
    seqnoLast: properties.seqnoLast,
    meta: encodeTableMeta(tableMetaOf(properties, fragments, order)),
  }
}
