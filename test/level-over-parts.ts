/** abstract-level's suite over parts that all its databases share: each is a shard of its own, flushed with every write. */

import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { shardId } from '../src/kernel/ids.ts'
import { ASSERTIONS, GET_SYNC_ASSERTIONS, passSuite } from './abstract-level-run.ts'
import { FlushingLevel } from './flushing-level.ts'
import type { FlushTotals } from './flushing-level.ts'
import { TINY_SETTINGS } from './simulation.ts'

/** Of a whole run over files that cannot be read synchronously. */
export const ASSERTIONS_ELSEWHERE = ASSERTIONS - GET_SYNC_ASSERTIONS

export interface LevelRun extends FlushTotals {
  readonly assertions: number
}

/** @param parts of every database; closed by the caller */
export async function passSuiteOver(parts: Omit<KvComponents, 'shard' | 'close'>): Promise<LevelRun> {
  const totals = { flushes: 0, compactions: 0 }
  let databases = 0
  const assertions = await passSuite((location, options) => {
    const shard = shardId(`db${++databases}`)
    return new FlushingLevel(location, options, {
      totals,
      syncReads: false,
      openShard: (_location, shardOptions) =>
        openKv({ ...parts, shard }, { ...shardOptions, settings: { ...TINY_SETTINGS } }),
    })
  })
  return { assertions, ...totals }
}
