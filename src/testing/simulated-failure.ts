/** The errors of the simulated device. */

import { VarveError } from '../kernel/errors.ts'
import type { ErrorCode } from '../kernel/errors.ts'

/** The error a device gives, for faults to throw. */
export function failure(code: ErrorCode, operation: string, path: string): VarveError {
  return new VarveError(code, `${operation} of ${path} failed: ${code} (simulated)`, { details: { path, operation } })
}

export function unsupported(capability: string): VarveError {
  return new VarveError('UNSUPPORTED', `this device has no ${capability}`, { details: { capability } })
}
