/**
 * The one error class and its codes.
 *
 * A code names a condition a program can handle; the kind says how. Codes are API and do not change between major
 * versions; messages are for people. A wrong argument is a plain `TypeError` or `RangeError`, a broken promise inside
 * varve an assertion: neither has a code, because nobody should catch it.
 *
 * The prescriptive kinds are SlateDB's idea (rfcs/0007-api-errors.md), matching across copies of the package undici's.
 */

/**
 * What the caller should do.
 *
 * - `retry`: the same call may succeed later
 * - `unknown`: it may or may not have happened; reopen and read back
 * - `fenced`: another owner took over; open anew, or stop
 * - `closed`: the object is closed; stop using it
 * - `invalid`: fix the request or the configuration
 * - `corrupt`: stored bytes are damaged or missing; repair or restore
 * - `bug`: a defect in varve or in an engine; please report it
 */
export type ErrorKind = 'retry' | 'unknown' | 'fenced' | 'closed' | 'invalid' | 'corrupt' | 'bug'

/** Every code with its kind: what it means, and the details that come with it. */
export const ERROR_KINDS = {
  /** The call came after `close()`, or was still waiting when `close()` ran. */
  CLOSED: 'closed',
  /** The caller's signal aborted the call. `cause` is the signal's reason. */
  ABORTED: 'closed',
  /** Another live process has the directory open. details: path, holder. */
  LOCKED: 'retry',
  /** Another owner with a higher epoch took the shard. details: epoch. */
  FENCED: 'fenced',
  /** The shard was split or merged: others have its keys now, for good. details: shard, successors. */
  SUPERSEDED: 'fenced',
  /**
   * A queue is at its limit; wait for `ready()` or for earlier calls. details: pending, limit. Or what writes wait for has
   * failed for long (`cause`). details: waitsFor, ms.
   */
  BUSY: 'retry',
  /** A synchronous read needs I/O that this composition cannot, or was asked not to, wait for. Use the async twin. */
  WOULD_BLOCK: 'retry',
  /** The device is full (or over quota). Writes resume by themselves once there is space. details: path. */
  NO_SPACE: 'retry',
  /** The process has no file descriptor left. Raise the limit or lower `openFilesMax`. details: path. */
  OUT_OF_FILES: 'retry',
  /** A read, or an operation without effect on stored data, failed in the device. details: path, operation. */
  IO_FAILED: 'retry',
  /** A compare-and-set found another version than expected. Read the head again. details: expected, found. */
  HEAD_CONFLICT: 'retry',
  /** A job did not deliver; its inputs are untouched. details: job, attempt. */
  JOB_FAILED: 'retry',
  /** A write or sync failed half-way: it may or may not be found on reopening. details: operation. */
  OUTCOME_UNKNOWN: 'unknown',
  /** An earlier write's outcome is unknown, so this shard takes no more of them. Close it and open it again. */
  POISONED: 'unknown',
  /** The shard was opened read-only, or its device is. */
  READ_ONLY: 'invalid',
  /** The system denies access. details: path. */
  PERMISSION_DENIED: 'invalid',
  /** The implementation declares in `supports` that it cannot do this. details: capability. */
  UNSUPPORTED: 'invalid',
  /** A key, value, batch or name is over a documented limit. details: what, size, limit. */
  LIMIT_EXCEEDED: 'invalid',
  /** What was to be opened is not there. details: path or name. */
  NOT_FOUND: 'invalid',
  /** What was to be created is already there; names are used once. details: path or name. */
  EXISTS: 'invalid',
  /** Written by another engine, comparator, format or a newer version. Nothing was changed. details: what, found, expected. */
  INCOMPATIBLE: 'invalid',
  /** Encrypted with a key that was not given, or another was given under its identifier. details: file, keyId. */
  WRONG_KEY: 'invalid',
  /** A journal record at or below the synced watermark is damaged. details: file, offset. */
  JOURNAL_CORRUPT: 'corrupt',
  /** A block, index, filter or footer of a table file is damaged. details: file, offset, part. */
  TABLE_CORRUPT: 'corrupt',
  /** Stored bytes of an encrypted file were changed, moved or cut off, or are of another file. details: file, offset, part. */
  FILE_CORRUPT: 'corrupt',
  /** The head, or a manifest file it refers to, is damaged; or there is none, but files of the shard. details: file. */
  HEAD_CORRUPT: 'corrupt',
  /** A file that the head refers to is missing or has another length. details: file. */
  FILE_MISSING: 'corrupt',
  /** A job's answer does not match its specification; it was not installed. details: job, reason. */
  JOB_REJECTED: 'bug',
} as const satisfies Record<string, ErrorKind>

/** What went wrong; `ERROR_KINDS` says of each what it means and which details come with it. */
export type ErrorCode = keyof typeof ERROR_KINDS

/** What an error carries beside its code and its message. */
export interface VarveErrorOptions {
  /** Copied, and frozen: see `VarveError.details`. Default: none. */
  readonly details?: Readonly<Record<string, unknown>>
  /** What it came of, of any class. */
  readonly cause?: unknown
}

/** What varve throws of what is not a wrong argument. `instanceof` holds for errors of other copies of the package, too. */
export class VarveError extends Error {
  /** What happened: compare this, not the message. */
  readonly code: ErrorCode
  /** What to do about it: `ERROR_KINDS[code]`. */
  readonly kind: ErrorKind
  /** Evidence: paths, offsets, sizes. Never keys, values or secrets. */
  readonly details: Readonly<Record<string, unknown>>
  /** Marks errors of every copy of this package, so that `instanceof` works across copies and from the wire. */
  readonly isVarveError = true

  /** @param message for people; never keys, values or secrets */
  constructor(code: ErrorCode, message: string, options: VarveErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'VarveError'
    this.code = code
    this.kind = ERROR_KINDS[code]
    this.details = Object.freeze({ ...options.details })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && 'isVarveError' in value
  }
}

/** True when `error` is a `VarveError` with one of `codes`. */
export function isCode(error: unknown, ...codes: readonly ErrorCode[]): error is VarveError {
  return error instanceof VarveError && codes.includes(error.code)
}

/** Throws ABORTED when `signal` has been aborted. @throws {TypeError} it is no signal: it would never be */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  checkSignal(signal)
  if (signal?.aborted) throw new VarveError('ABORTED', 'the operation was aborted', { cause: signal.reason })
}

/** @throws {TypeError} not a signal: it would never abort anything */
export function checkSignal(signal: AbortSignal | undefined): void {
  if (signal === undefined) return
  const { aborted }: { readonly aborted?: unknown } = Object(signal)
  if (typeof aborted !== 'boolean') throw new TypeError('signal must be an AbortSignal')
}
