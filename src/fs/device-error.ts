/** From the system's error numbers to the errors of the device port. */

import { VarveError } from '../kernel/errors.ts'
import type { ErrorCode } from '../kernel/errors.ts'

const CODES: ReadonlyMap<string, ErrorCode> = new Map([
  ['ENOENT', 'NOT_FOUND'],
  ['EEXIST', 'EXISTS'],
  ['ENOSPC', 'NO_SPACE'],
  ['EDQUOT', 'NO_SPACE'],
  ['EMFILE', 'OUT_OF_FILES'],
  ['ENFILE', 'OUT_OF_FILES'],
  ['EACCES', 'PERMISSION_DENIED'],
  ['EPERM', 'PERMISSION_DENIED'],
  ['EROFS', 'READ_ONLY'],
])

/** @param operation names what was tried, as in `open` */
export function deviceError(cause: unknown, operation: string, path: string): VarveError {
  if (cause instanceof VarveError) return cause
  const errno = (cause as { readonly code?: unknown } | null)?.code
  const code = (typeof errno === 'string' ? CODES.get(errno) : undefined) ?? 'IO_FAILED'
  const reason = typeof errno === 'string' ? errno : String(cause)
  return new VarveError(code, `${operation} of ${path} failed: ${reason}`, {
    cause,
    details: { path, operation, errno },
  })
}
