/** Reads of a log in rows: all of it in order, or some bytes of one batch. */

import { concatBytes, copyOf } from '../../kernel/bytes.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { JournalPosition, ShardId } from '../../kernel/ids.ts'
import { MIB } from '../../kernel/limits.ts'
import { checkRow, damagedRow, visitBatches } from './row-codec.ts'
import type { JournalRow, JournalTable } from './journal-table.ts'

// Rows asked for at a time; as text they take twice that.
const PAGE_BYTES = 4 * MIB

export interface RowLog {
  readonly table: JournalTable
  readonly hash: Hash
  readonly shard: ShardId
}

export interface RowRange {
  readonly start: number
  /** Nothing at or after it is looked at. */
  readonly end: number
}

/** As `JournalReader.replay`. */
export async function replayRows(
  log: RowLog,
  { start, end }: RowRange,
  from: number,
  visit: (payload: Uint8Array, position: JournalPosition) => void,
): Promise<JournalPosition> {
  const { table, hash, shard } = log
  if (from < start) throw damagedRow(shard, from, `it was truncated: the log begins at ${start}`)
  if (from > end) throw damagedRow(shard, from, `it was never written: the log ends at ${end}`)
  let next = from
  let parts: JournalRow[] = []
  const visitRow = (row: JournalRow): void => {
    if (row.kind === 'batches') {
      visitBatches(shard, row, (payload, position) => {
        if (position >= from) visit(payload, position as JournalPosition)
      })
      return
    }
    if (row.batch < from) return
    parts.push(row)
    if (row.kind === 'part') return
    visit(concatBytes(parts.map(({ content }) => content)), row.batch as JournalPosition)
    parts = []
  }
  // The next page is on its way while this one is visited.
  let page = from < end ? table.rows(shard, from, end, PAGE_BYTES) : undefined
  while (page !== undefined) {
    const rows: readonly JournalRow[] = await page
    const last = rows.at(-1)
    const reached: number = last === undefined ? next : last.position + last.size
    if (last === undefined || reached <= next || reached > end)
      throw damagedRow(shard, reached, `rows are missing before ${end}`)
    page = reached < end ? table.rows(shard, reached, end, PAGE_BYTES) : undefined
    page?.catch(() => undefined)
    for (const row of rows) {
      // Only the first may begin before.
      const follows = row.position === next || (next === from && row.position < from && row.position + row.size > from)
      if (!follows) throw damagedRow(shard, next, `rows are missing: the next one is at ${row.position}`)
      checkRow(hash, shard, row)
      checkPart(shard, row, parts, from)
      visitRow(row)
      next = row.position + row.size
    }
  }
  if (parts.length > 0) throw damagedRow(shard, end, 'the last batch has no end')
  return end as JournalPosition
}

/** As `Journal.read`. */
export async function readRows(
  log: RowLog,
  { start, end }: RowRange,
  position: number,
  length: number,
): Promise<Uint8Array> {
  const { table, hash, shard } = log
  if (position < start || position >= end) {
    throw new VarveError('NOT_FOUND', `the journal has no batch at ${position}`, { details: { position } })
  }
  const limit = Math.min(end, position + Math.max(1, length))
  const rows: JournalRow[] = []
  for (
    let next = position;
    next < limit;
    next = (rows.at(-1) as JournalRow).position + (rows.at(-1) as JournalRow).size
  ) {
    const found = await table.rows(shard, next, limit, PAGE_BYTES)
    for (const row of found) {
      checkRow(hash, shard, row)
      rows.push(row)
    }
    const first = found[0]
    if (first === undefined || first.position > next) throw damagedRow(shard, next, 'its row is missing')
    // What follows a whole row is of another batch.
    if (rows[0]?.kind === 'batches') break
  }
  const first = rows[0] as JournalRow
  let batch: Uint8Array | undefined
  let at = first.position
  if (first.kind === 'batches') {
    visitBatches(shard, first, (payload, found) => {
      if (position < found || position >= found + payload.length) return
      batch = payload
      at = found
    })
  } else {
    const own = rows.filter((row) => row.kind !== 'batches' && row.batch === first.batch)
    batch = own.length === 1 ? first.content : concatBytes(own.map(({ content }) => content))
  }
  if (batch === undefined) throw damagedRow(shard, position, 'its batch is missing')
  if (position - at + length > batch.length)
    throw new RangeError(`${length} bytes at ${position} are not within one batch`)
  return copyOf(batch, position - at, position - at + length)
}

/** A part follows the one before it. Before the first position that was asked for, the beginning need not be here. */
function checkPart(shard: ShardId, row: JournalRow, parts: readonly JournalRow[], from: number): void {
  const before = parts.at(-1)
  const goesOn = row.kind !== 'batches' && row.batch >= from && row.batch !== row.position
  if (goesOn ? before?.batch === row.batch : before === undefined) return
  throw damagedRow(shard, row.position, 'the batch before it has no end')
}
