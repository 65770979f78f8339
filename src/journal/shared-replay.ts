/** Visiting the batches of one shard in a shared log. */

import type { JournalPosition } from '../kernel/ids.ts'
import type { Journal } from './journal.ts'
import { journalCorrupt } from './journal-corrupt.ts'
import type { PlacedBatch, SharedLog } from './shared-log.ts'

type Visit = (payload: Uint8Array, position: JournalPosition) => void

/** @param limit where the log ended when it was opened */
export async function replayShared(
  physical: Pick<Journal, 'replay' | 'read'>,
  log: SharedLog,
  from: number,
  limit: number,
  visit: Visit,
): Promise<JournalPosition> {
  if (from > limit) throw journalCorrupt('the shared log', from, `shard ${log.shard} ends at ${limit}`)
  if (from < log.start) throw journalCorrupt('the shared log', from, `shard ${log.shard} starts at ${log.start} only`)
  const wanted = log.batches.filter(({ position }) => position >= from && position < limit)
  if (inOrder(wanted)) await scan(physical, wanted, visit)
  else
    for (const { position, bytes, payload } of wanted)
      visit(await physical.read(payload as JournalPosition, bytes), position as JournalPosition)
  return limit as JournalPosition
}

/** Where none was moved, one pass over the shared log has them all: that is mostly the log's newest part. */
async function scan(physical: Pick<Journal, 'replay'>, wanted: readonly PlacedBatch[], visit: Visit): Promise<void> {
  const [first] = wanted
  if (first === undefined) return
  let index = 0
  try {
    await physical.replay(first.record as JournalPosition, (bytes, at) => {
      const next = wanted[index]
      if (next === undefined) throw ENOUGH
      if (at !== next.record) return
      index++
      visit(bytes.subarray(next.payload - next.record), next.position as JournalPosition)
    })
  } catch (error) {
    if (error !== ENOUGH) throw error
  }
  if (index < wanted.length) throw journalCorrupt('the shared log', first.record, 'a batch is missing')
}

function inOrder(batches: readonly PlacedBatch[]): boolean {
  return batches.every((batch, index) => index === 0 || batch.record > (batches[index - 1] as PlacedBatch).record)
}

/** Thrown out of a visit: a replay has no other end before its end. */
const ENOUGH = new Error('enough')
