/** How patient those are who keep jobs in a table: as a broker, with its reasons, and how often they look. */

import { DURATION_MS, checkNumber, overDefaults } from '../../kernel/setting-check.ts'
import { BROKER_DEFAULTS, checkBrokerSettings } from '../remote/settings.ts'
import type { BrokerSettings } from '../remote/settings.ts'

/** Times of leases are of the server's clock. A job stays wanted for `orphanMs` when its submitter is silent. */
export interface PostgresJobSettings extends BrokerSettings {
  /**
   * How often those look who wait for an answer, in milliseconds: for progress, and for what nobody tells.
   * Range: 0 … 3,600,000.
   */
  readonly watchMs: number
  /**
   * How often an idle place of a worker looks for work, in milliseconds, should a notification have been lost.
   * Range: 0 … 3,600,000.
   */
  readonly pollMs: number
}

/** What is not said. */
export const POSTGRES_JOB_DEFAULTS: PostgresJobSettings = Object.freeze({
  ...BROKER_DEFAULTS,
  // Faster than a person reads, and a look costs the server a fraction of a millisecond.
  watchMs: 250,
  // Workers hear of jobs by notification; this bounds what a lost one costs.
  pollMs: 5_000,
})

/** @throws {TypeError | RangeError} naming the setting */
export function resolvePostgresJobSettings(input: Partial<PostgresJobSettings> = {}): PostgresJobSettings {
  const settings = overDefaults(POSTGRES_JOB_DEFAULTS, input)
  checkBrokerSettings(settings)
  checkNumber('watchMs', settings.watchMs, DURATION_MS)
  checkNumber('pollMs', settings.pollMs, DURATION_MS)
  return Object.freeze(settings)
}
