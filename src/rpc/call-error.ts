/** Errors of calls: those of the service as they were thrown there, and those of the connection. */

import { decodeError } from '../kernel/error-wire.ts'
import { VarveError, isCode } from '../kernel/errors.ts'

/** What a service answered instead of a result: a `VarveError`, or an error of the class that ports throw for wrong arguments. */
export function serviceError(wire: unknown): Error {
  const error = decodeError(wire)
  if (error instanceof VarveError) return error
  if (error.name === 'RangeError') return new RangeError(error.message, { cause: error })
  if (error.name === 'TypeError') return new TypeError(error.message, { cause: error })
  return error
}

/**
 * A call without an answer.
 *
 * @param mayHaveHappened it was sent, and has an effect
 */
export function unanswered(what: string, reason: string, mayHaveHappened: boolean, cause?: unknown): VarveError {
  const details = { operation: what, unanswered: true }
  return mayHaveHappened
    ? new VarveError('OUTCOME_UNKNOWN', `${what} may or may not have happened: ${reason}`, { details, cause })
    : new VarveError('IO_FAILED', `${what} failed: ${reason}`, { details, cause })
}

/** True where the connection failed, not the service: on another one the call may succeed. */
export function isUnanswered(error: unknown): error is VarveError {
  return isCode(error, 'IO_FAILED', 'OUTCOME_UNKNOWN') && error.details['unanswered'] === true
}
