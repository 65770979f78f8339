/** What every journal refuses, and how. */

import { VarveError, isCode } from '../kernel/errors.ts'
import type { JournalPosition } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import { rejected } from './deferred.ts'
import type { Append } from './journal.ts'

/** @throws {VarveError} LIMIT_EXCEEDED */
export function checkBatch(length: number): void {
  if (length >= 1 && length <= LIMITS.batchBytesMax) return
  throw new VarveError('LIMIT_EXCEEDED', `a batch has 1…${LIMITS.batchBytesMax} bytes, not ${length}`, {
    details: { what: 'batch', size: length, limit: LIMITS.batchBytesMax },
  })
}

export function unsupported(durability: string): VarveError {
  return new VarveError('UNSUPPORTED', `this journal has no durability ${JSON.stringify(durability)}`, {
    details: { capability: durability },
  })
}

export function busy(pending: number, limit: number): VarveError {
  return new VarveError('BUSY', `${pending} bytes wait to be written, the limit is ${limit}: wait for ready()`, {
    details: { pending, limit },
  })
}

export function failedAppend(end: number, reason: VarveError): Append {
  const promise = rejected(reason)
  return { end: end as JournalPosition, written: promise, synced: promise }
}

/** True for a write that has left nothing: there was no space for it, or no descriptor for the segment it needed. */
export function tookNothing(error: unknown): error is VarveError {
  return isCode(error, 'NO_SPACE', 'OUT_OF_FILES')
}

/** True for an append of which nothing is there, so that later ones may be taken: as `Append` says. */
export function wasRefused(error: unknown): error is VarveError {
  return tookNothing(error) || isCode(error, 'PERMISSION_DENIED', 'IO_FAILED')
}

export function outcomeUnknown(operation: string, cause: unknown): VarveError {
  // What is known is worse.
  if (isCode(cause, 'JOURNAL_CORRUPT')) return cause
  const reason = cause instanceof Error ? ` (${cause.message})` : ''
  return new VarveError(
    'OUTCOME_UNKNOWN',
    `${operation} of the journal failed${reason}: it may or may not have happened`,
    {
      details: { operation },
      cause,
    },
  )
}
