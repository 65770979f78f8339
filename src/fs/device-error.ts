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
  // Of Node's permission model.
  ['ERR_ACCESS_DENIED', 'PERMISSION_DENIED'],
  ['EROFS', 'READ_ONLY'],
  // A file where a directory should be: there is nothing at that path.
  ['ENOTDIR', 'NOT_FOUND'],
  // A symbolic link where a file should be: refused, and no more welcome the next time.
  ['ELOOP', 'PERMISSION_DENIED'],
])

// Where the number alone does not tell the way out.
const REASONS: ReadonlyMap<string, string> = new Map([
  ['EROFS', 'the file system is read-only (EROFS); a database on it can be opened with readOnly: true'],
  ['EFBIG', 'this process may write no longer files (EFBIG): raise its limit, which ulimit -f shows'],
  ['EMFILE', 'this process may have no more files open (EMFILE): raise its limit, which ulimit -n shows'],
])

/**
 * What to throw for `cause`: a VarveError, or `cause` itself where it says that an argument was wrong.
 *
 * @param operation names what was tried, as in `open`
 */
export function deviceError(cause: unknown, operation: string, path: string): Error {
  if (cause instanceof VarveError || cause instanceof TypeError || cause instanceof RangeError) return cause
  const errno = (cause as { readonly code?: unknown } | null)?.code
  const code = (typeof errno === 'string' ? CODES.get(errno) : undefined) ?? 'IO_FAILED'
  const reason = typeof errno === 'string' ? (REASONS.get(errno) ?? errno) : String(cause)
  return new VarveError(code, `${operation} of ${path} failed: ${reason}`, {
    cause,
    details: { path, operation, errno },
  })
}
