/**
 * Deletes a range: as one tombstone where all of it goes.
 *
 * With a limit or a snapshot, the keys as of the call or the snapshot, in batches of bounded size, one after the other.
 * That is not atomic, as abstract-level allows. A key that is written again while its turn has not come is deleted with
 * it; await `clear()` before writing into its range.
 */

import type { KvScan } from '../kv/kv.ts'
import type { KvShard } from '../kv/kv-shard.ts'
import { toKvRange } from './encoded-range.ts'
import type { EncodedRange } from './encoded-range.ts'
import { LevelSnapshot } from './level-snapshot.ts'

// Keys of one batch: at 1000, what a batch costs beside its keys no longer shows; memory stays small.
const BATCH_COUNT = 1000
const BATCH_BYTES = 1024 * 1024

export interface ClearOptions extends EncodedRange {
  readonly reverse: boolean
  /** −1: no limit. */
  readonly limit: number
  readonly snapshot?: unknown
}

/** Fixes what it deletes before it returns. */
export async function clearRange(shard: KvShard, options: ClearOptions): Promise<void> {
  const { reverse, limit } = options
  const reading = LevelSnapshot.in(options)
  if (limit === -1 && reading.snapshot === undefined) return shard.deleteRange(toKvRange(options))
  const scan: KvScan = shard.scan({
    ...toKvRange(options),
    ...reading,
    reverse,
    limit: limit === -1 ? Infinity : limit,
    values: false,
  })
  try {
    for (;;) {
      const entries = await scan.next(BATCH_COUNT, BATCH_BYTES)
      if (entries.length === 0) return
      await shard.batch(entries.map(({ key }) => ({ type: 'delete', key })))
    }
  } finally {
    scan.close()
  }
}
