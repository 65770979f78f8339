/** Which failures pass by themselves, for how long to wait, and what they are called in the end. */

import type { Clock } from '../kernel/clock.ts'
import { VarveError } from '../kernel/errors.ts'
import { SqlFailure } from './sql.ts'

// The first is short: after a connection that was cut, another usually works at once.
const PAUSE_MS_MIN = 10
const PAUSE_MS_MAX = 500

/**
 * True for what another attempt may not meet: connections and servers that come and go (08, 53, 57), locks and
 * conflicts (40, 55), and a standby that has not been promoted yet (25006).
 */
export function passes(failure: SqlFailure): boolean {
  const { answered, sqlState = '' } = failure
  if (!answered) return true
  if (isFull(failure)) return false
  return /^(?:08|40|53|55|57)/.test(sqlState) || sqlState === '25006'
}

/** There is no room for it. */
export function isFull({ sqlState }: SqlFailure): boolean {
  return sqlState === '53100'
}

/** The server lets nobody in under this name, or with this password. */
export function deniesLogin({ sqlState = '' }: SqlFailure): boolean {
  return sqlState.startsWith('28')
}

/** Pauses that grow, until the server has been away for `awayMs`. */
export class RetryPauses {
  readonly #clock: Clock
  readonly #awayMs: number
  #sinceMs: number | undefined
  #pauseMs = PAUSE_MS_MIN

  constructor(clock: Clock, awayMs: number) {
    this.#clock = clock
    this.#awayMs = awayMs
  }

  /**
   * Resolves after a while; false, and at once, when it has taken too long.
   *
   * @param failure of an attempt; a connection that took its time to fail was away for that time
   */
  async pause(failure?: SqlFailure): Promise<boolean> {
    const now = this.#clock.monotonic()
    this.#sinceMs ??= now - (failure?.connectingMs ?? 0)
    if (now - this.#sinceMs >= this.#awayMs) return false
    const pauseMs = this.#pauseMs
    this.#pauseMs = Math.min(PAUSE_MS_MAX, pauseMs * 2)
    await new Promise<void>((resolve) => this.#clock.after(pauseMs, resolve, { keepAlive: true }))
    return true
  }
}

/** What a failure is for those who know no SQL. `operation` had no effect, or may be made again. */
export function storageError(error: unknown, operation: string): unknown {
  if (!(error instanceof SqlFailure)) return error
  const { sqlState, message } = error
  const details = { path: 'postgres', operation, sqlState }
  const options = { details, cause: error }
  if (isFull(error)) return new VarveError('NO_SPACE', `PostgreSQL has no space left: ${message}`, options)
  if (sqlState === '42501' || deniesLogin(error))
    return new VarveError('PERMISSION_DENIED', `PostgreSQL denies ${operation}: ${message}`, options)
  if (sqlState === '42P01' || sqlState === '3F000' || sqlState === '42703') {
    return new VarveError('INCOMPATIBLE', `tables in PostgreSQL are not there, or others: ${message}`, {
      details: { what: 'tables in PostgreSQL', ...details },
      cause: error,
    })
  }
  const wayOut =
    error.connectingMs === undefined
      ? ''
      : '; is the address right, does the server listen there, and can it be reached from here? awayMs is how long is waited'
  return new VarveError('IO_FAILED', `PostgreSQL failed to ${operation}: ${message}${wayOut}`, options)
}
