/** Which errors of reading what is stored say that it is damaged. */

import { VarveError } from './errors.ts'

/**
 * False for what is whole, and only kept from this process: a key is missing, LZ4 does not load here, the system denies access
 * or has no descriptor left. Of what is in the place of a file the system says that it denies access, too.
 */
export function isDamage(error: unknown): error is VarveError {
  if (!(error instanceof VarveError)) return false
  if (error.code === 'PERMISSION_DENIED') return 'found' in error.details
  return !['WRONG_KEY', 'UNSUPPORTED', 'OUT_OF_FILES'].includes(error.code)
}
