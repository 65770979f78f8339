/** How large a head may be. */

import { VarveError } from '../kernel/errors.ts'
import { LIMITS } from '../kernel/limits.ts'

/** @throws {VarveError} LIMIT_EXCEEDED */
export function checkHeadSize(content: Uint8Array): void {
  if (content.length <= LIMITS.headBytesMax) return
  throw new VarveError('LIMIT_EXCEEDED', `a head of ${content.length} bytes is over the limit`, {
    details: { what: 'head', size: content.length, limit: LIMITS.headBytesMax },
  })
}
