/** What a port promises of its failures: the code, and what the details name. For conformance suites. */

import assert from 'node:assert/strict'
import { VarveError } from '../kernel/errors.ts'
import type { ErrorCode } from '../kernel/errors.ts'

/**
 * Runs `work`, which must reject (or throw) with one of `codes`.
 *
 * @param promise what was promised, for people who read that it is not so
 */
export async function failsWith(
  work: () => unknown,
  codes: ErrorCode | readonly ErrorCode[],
  promise: string,
): Promise<VarveError> {
  const error = await failureOf(work, promise)
  assert.ok(error instanceof VarveError, `${promise}: a VarveError, not ${String(error)}`)
  const expected: readonly string[] = typeof codes === 'string' ? [codes] : codes
  assert.ok(expected.includes(error.code), `${promise}: ${expected.join(' or ')}, not ${error.code} (${error.message})`)
  return error
}

/** What `work` rejects with, or throws. */
export async function failureOf(work: () => unknown, promise: string): Promise<unknown> {
  try {
    await work()
  } catch (error) {
    return error
  }
  return assert.fail(`${promise}: it succeeded`)
}
