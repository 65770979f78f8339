/** How patient those are who keep jobs in a table. */

import { checkCount, checkDurationMs } from '../queue-settings.ts'

export interface PostgresJobSettings {
  /** How long a worker may be silent about a job before another gets it, in milliseconds of the server's clock. */
  readonly leaseMs: number
  /** How often a job is given to a worker before it is given up. */
  readonly triesMax: number
  /** How long a job waits while no worker is at work that could take it afterwards, in milliseconds. */
  readonly startMs: number
  /** How long a job stays wanted when its submitter is silent, in milliseconds. */
  readonly orphanMs: number
  /** Failures in a row of the same work after which it is not taken for a while. */
  readonly failuresMax: number
  /** For how long then, in milliseconds; doubles with each further failure. */
  readonly quarantineMs: number
  readonly quarantineMsMax: number
  /** How often those look who wait for an answer, in milliseconds: for progress, and for what nobody tells. */
  readonly watchMs: number
  /** How often an idle place of a worker looks for work, in milliseconds, should a notification have been lost. */
  readonly pollMs: number
}

export const POSTGRES_JOB_DEFAULTS: PostgresJobSettings = Object.freeze({
  // As a broker's (BROKER_DEFAULTS of varve/jobs/remote), with its reasons.
  leaseMs: 15_000,
  triesMax: 3,
  startMs: 5_000,
  orphanMs: 30_000,
  failuresMax: 3,
  quarantineMs: 10_000,
  quarantineMsMax: 600_000,
  // Faster than a person reads, and a look costs the server a fraction of a millisecond.
  watchMs: 250,
  // Workers hear of jobs by notification; this bounds what a lost one costs.
  pollMs: 5_000,
})

/** @throws {RangeError} naming the setting */
export function resolvePostgresJobSettings(input: Partial<PostgresJobSettings> = {}): PostgresJobSettings {
  const settings = { ...POSTGRES_JOB_DEFAULTS, ...input }
  const { triesMax, failuresMax, ...durations } = settings
  checkCount('triesMax', triesMax, 1, 100)
  checkCount('failuresMax', failuresMax, 1, 100)
  for (const [name, value] of Object.entries(durations)) checkDurationMs(name, value)
  return Object.freeze(settings)
}
