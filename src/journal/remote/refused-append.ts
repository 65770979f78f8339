/**
 * How a service says that its journal has refused an append, and nothing of it is there: with the journal's own code, and
 * with a mark, because a connection, and a server that lets its client in no more, fail with the same codes. Of an append
 * that meets one of those nobody knows: it may have been made over the connection before.
 */

import { VarveError } from '../../kernel/errors.ts'
import { tookNothing, wasRefused } from '../append-check.ts'

/** @param error what an append of the service's journal rejected with */
export function markRefused(error: unknown): unknown {
  if (!wasRefused(error)) return error
  const { code, message, details, cause } = error
  return new VarveError(code, message, { details: { ...details, appended: false }, cause })
}

/** True for what a client was answered about an append of which nothing is there, so that later ones may be taken. */
export function isRefusedAppend(error: unknown): error is VarveError {
  // A full disk is only ever that of the journal.
  return tookNothing(error) || (wasRefused(error) && error.details['appended'] === false)
}
