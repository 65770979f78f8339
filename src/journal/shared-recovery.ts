/**
 * What a shared log holds of every shard, read from its first record on.
 *
 * Records go from the front, a segment at a time, once what is still needed of them has been copied to the end. So the first
 * ones that are left may be newer than copies behind them, and a state among them may speak of batches that have gone since:
 * which of a shard's batches there are is known only when all has been read. The last state counts, and it is always there:
 * it is synced before anything goes on its account, and whatever was needed when it was written stays.
 */

import type { ShardId } from '../kernel/ids.ts'
import { journalCorrupt } from './journal-corrupt.ts'
import { SharedLog } from './shared-log.ts'
import type { PlacedBatch } from './shared-log.ts'
import { decodeRecord } from './shared-record.ts'

interface Found {
  epoch: number
  /** Of the last state: where the shard's part starts, and where it ended then. */
  start: number
  end: number
  /** By position; of copies the last. */
  readonly batches: Map<number, PlacedBatch>
}

export class SharedRecovery {
  readonly #found = new Map<ShardId, Found>()

  /** @param at where the record is in the shared log @throws {VarveError} JOURNAL_CORRUPT */
  add(bytes: Uint8Array, at: number): void {
    const { kind, shard, epoch, position, end, payload } = decodeRecord(bytes, at)
    const found = this.#found.get(shard) ?? { epoch: 0, start: 0, end: 0, batches: new Map<number, PlacedBatch>() }
    this.#found.set(shard, found)
    if (epoch < found.epoch && kind !== 'batch') throw journalCorrupt('the shared log', at, 'an epoch went back')
    found.epoch = Math.max(found.epoch, epoch)
    if (kind === 'state') {
      found.start = position
      found.end = end
    }
    if (kind !== 'batch') return
    const there = found.batches.get(position)
    if (there !== undefined && there.bytes !== payload.length)
      throw journalCorrupt('the shared log', at, `a batch of ${shard} is not the one that was in its place`)
    const placed = { position, bytes: payload.length, record: at, payload: at + bytes.length - payload.length }
    found.batches.set(position, placed)
  }

  logs(): ReadonlyMap<ShardId, SharedLog> {
    return new Map(Array.from(this.#found, ([shard, found]) => [shard, logOf(shard, found)]))
  }
}

/** Batches that nothing leads on from do not count: where a shard needs one of them, its opening says so. */
function logOf(shard: ShardId, { epoch, start, end, batches }: Found): SharedLog {
  const needed = [...batches.values()].filter(({ position }) => position >= start)
  needed.sort((one, other) => one.position - other.position)
  let last: PlacedBatch | undefined
  let first = 0
  for (const [index, batch] of needed.entries()) {
    if (last !== undefined && batch.position < last.position + last.bytes)
      throw journalCorrupt('the shared log', batch.record, `a batch of ${shard} begins within another`)
    if (last !== undefined && batch.position > last.position + last.bytes) first = index
    last = batch
  }
  const log = new SharedLog(shard)
  log.epoch = epoch
  log.restore(Math.max(end, last === undefined ? 0 : last.position + last.bytes), needed.slice(first))
  return log
}
