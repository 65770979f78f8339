/**
 * Errors as abstract-level names them.
 *
 * Programs written for abstract-level know LEVEL_ codes and nothing of ours, so what has a counterpart gets its code; the
 * VarveError is the cause. What has none (a queue at its limit, an incompatible format) stays what it is: its own code
 * says more than a wrong one. The table is in docs/level.md.
 */

import { VarveError } from '../../kernel/errors.ts'
import type { ErrorCode } from '../../kernel/errors.ts'

/** The codes of abstract-level that varve's errors become. */
export type LevelErrorCode =
  | 'LEVEL_ABORTED'
  | 'LEVEL_CORRUPTION'
  | 'LEVEL_DATABASE_NOT_OPEN'
  | 'LEVEL_INVALID_KEY'
  | 'LEVEL_INVALID_VALUE'
  | 'LEVEL_IO_ERROR'
  | 'LEVEL_LOCKED'
  | 'LEVEL_NOT_SUPPORTED'
  | 'LEVEL_READONLY'
  | 'LEVEL_SNAPSHOT_NOT_OPEN'

const LEVEL_CODES: Readonly<Partial<Record<ErrorCode, LevelErrorCode>>> = Object.freeze({
  CLOSED: 'LEVEL_DATABASE_NOT_OPEN',
  ABORTED: 'LEVEL_ABORTED',
  LOCKED: 'LEVEL_LOCKED',
  // Somebody else has it: what a program does about a lock is right here too.
  FENCED: 'LEVEL_LOCKED',
  SUPERSEDED: 'LEVEL_LOCKED',
  NO_SPACE: 'LEVEL_IO_ERROR',
  OUT_OF_FILES: 'LEVEL_IO_ERROR',
  IO_FAILED: 'LEVEL_IO_ERROR',
  PERMISSION_DENIED: 'LEVEL_IO_ERROR',
  OUTCOME_UNKNOWN: 'LEVEL_IO_ERROR',
  POISONED: 'LEVEL_IO_ERROR',
  READ_ONLY: 'LEVEL_READONLY',
  UNSUPPORTED: 'LEVEL_NOT_SUPPORTED',
  JOURNAL_CORRUPT: 'LEVEL_CORRUPTION',
  TABLE_CORRUPT: 'LEVEL_CORRUPTION',
  FILE_CORRUPT: 'LEVEL_CORRUPTION',
  HEAD_CORRUPT: 'LEVEL_CORRUPTION',
  FILE_MISSING: 'LEVEL_CORRUPTION',
})

/** An error with a code of abstract-level's. `cause` is the VarveError, where there is one. */
export class LevelError extends Error {
  /** What a program compares; abstract-level says what each means. */
  readonly code: LevelErrorCode

  /** @param cause what it came of; default: nothing */
  constructor(code: LevelErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    // The web's name, which abstract-level promises.
    this.name = code === 'LEVEL_ABORTED' ? 'AbortError' : 'LevelError'
  }
}

/** The error to show for `error`: a LevelError where abstract-level has a code for it, else `error` itself. */
export function toLevelError(error: unknown): Error {
  if (!(error instanceof VarveError)) return error as Error
  const code = error.code === 'LIMIT_EXCEEDED' ? overLimit(error) : LEVEL_CODES[error.code]
  return code === undefined ? error : new LevelError(code, error.message, error)
}

/** As `toLevelError`, for failures to open: says in words what was asked for. */
export function toOpenError(error: unknown, location: string): Error {
  if (error instanceof VarveError && error.code === 'NOT_FOUND') {
    return new VarveError('NOT_FOUND', `${location} does not exist, and was not to be created`, {
      details: { path: location },
      cause: error,
    })
  }
  if (error instanceof VarveError && error.code === 'EXISTS') {
    return new VarveError('EXISTS', `${location} already exists (errorIfExists is true)`, {
      details: { path: location },
      cause: error,
    })
  }
  return toLevelError(error)
}

/** `promise`, rejecting with what `toLevelError` makes of its error. */
export function withLevelErrors<T>(promise: Promise<T>): Promise<T> {
  return promise.catch((error: unknown) => {
    throw toLevelError(error)
  })
}

function overLimit(error: VarveError): LevelErrorCode | undefined {
  const { what } = error.details
  if (what === 'key') return 'LEVEL_INVALID_KEY'
  return what === 'value' ? 'LEVEL_INVALID_VALUE' : undefined
}
