/**
 * What flushes and merges have in common: entries from a cursor, filtered, into tables of bounded size.
 *
 * Both are plain functions of their specification, so that a job may run in a worker, elsewhere, or twice.
 */

import { PENDING } from '../../kernel/cursor.ts'
import type { Cursor } from '../../kernel/cursor.ts'
import { EntryBatch } from '../../kernel/entry-batch.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { MIB } from '../../kernel/limits.ts'
import type { JobContext, JobOutput, JobSpec } from '../../jobs/jobs.ts'
import type { TableSummary, TableWriter } from '../../sst/sst.ts'
import { tableFormat } from './table-formats.ts'
import type { TableParameters } from './job-parameters.ts'
import { encodeTableMeta } from './table-meta.ts'
import { VersionFilter } from './version-filter.ts'

// Finished blocks that may wait before the sink is asked to take them.
const PENDING_BYTES_MAX = 1 * MIB
const FILE_EXTENSION = 'table'

export interface WrittenTables {
  readonly outputs: readonly JobOutput[]
  readonly entriesRead: number
  readonly entriesDropped: number
}

/** Writes what `cursor` gives, in order and newest first within a key, and closes it. */
export async function writeTables(
  cursor: Cursor,
  order: KeyOrder,
  parameters: TableParameters,
  spec: JobSpec,
  context: JobContext,
  entriesExpected: number,
): Promise<WrittenTables> {
  const filter = new VersionFilter(spec.pinnedSeqnos, parameters.bottom)
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
          outputs.push(toOutput(await writer.finish(), parameters))
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
    if (writer !== undefined) {
      if (writer.entryCount > 0) outputs.push(toOutput(await writer.finish(), parameters))
      else await writer.abort()
    }
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

function toOutput({ ref, properties }: TableSummary, parameters: TableParameters): JobOutput {
  return {
    ref,
    format: parameters.format,
    group: parameters.group,
    seqnoFirst: properties.seqnoFirst,
    seqnoLast: properties.seqnoLast,
    meta: encodeTableMeta(properties),
  }
}
