/** What whoever calls a shard that was closed hears, and who closes one whose journal cannot be asked any more. */

import { VarveError, isCode } from '../kernel/errors.ts'
import type { ShardId } from '../kernel/ids.ts'

export function closed(): VarveError {
  return new VarveError('CLOSED', 'the shard is closed')
}

/** What was given up for `closed()` is that, and not ABORTED: nobody who called has aborted anything. */
export function unaborted(error: unknown): unknown {
  return isCode(error, 'ABORTED') && isCode(error.cause, 'CLOSED') ? error.cause : error
}

/** Waits for the journal's last sync. The shard is closed all the same. */
export async function closes(shard: ShardId, secured: Promise<void>): Promise<void> {
  try {
    await secured
  } catch (cause) {
    // What was acknowledged is the new owner's now, and nothing else is at stake.
    if (isCode(cause, 'FENCED')) return
    // It says what is lost, and what to do.
    if (isCode(cause, 'JOURNAL_CORRUPT')) throw cause
    throw new VarveError(
      'OUTCOME_UNKNOWN',
      `shard ${shard} was closed and its journal could not be synced: what was acknowledged as written, and not as synced, ` +
        `may not survive a power cut`,
      { details: { operation: 'close', shard }, cause },
    )
  }
}
