/** What whoever calls a shard that was closed hears, and who closes one whose journal cannot be asked any more. */

import { VarveError } from '../kernel/errors.ts'
import type { ShardId } from '../kernel/ids.ts'

export function closed(): VarveError {
  return new VarveError('CLOSED', 'the shard is closed')
}

/** It is closed all the same. */
export function closedUnsynced(shard: ShardId, cause: unknown): VarveError {
  return new VarveError(
    'OUTCOME_UNKNOWN',
    `shard ${shard} was closed and its journal could not be synced: what was acknowledged as written, and not as synced, ` +
      `may not survive a power cut`,
    { details: { operation: 'close', shard }, cause },
  )
}
