/** What writes are told after one of them has failed. */

import { VarveError, isCode } from '../kernel/errors.ts'

export function writeFailure(error: unknown): VarveError {
  // Of a journal that has gone, opening the shard again does not help: its error says what does.
  if (isCode(error, 'FENCED', 'CLOSED', 'JOURNAL_CORRUPT')) return error
  const reason = 'an earlier write may or may not have happened: close this shard and open it again'
  return new VarveError('POISONED', reason, { cause: error })
}
