/** How patient a broker of jobs is. */

import { DURATION_MS, checkInteger, checkNumber, overDefaults } from '../../kernel/setting-check.ts'

/** Defaults and their reasons: `BROKER_DEFAULTS`. */
export interface BrokerSettings {
  /** How long a worker may be silent about a job before another gets it, in milliseconds. Range: 0 … 3,600,000. */
  readonly leaseMs: number
  /**
   * How long a worker may have a job without progress before another gets it, in milliseconds; a job may say otherwise.
   * Range: 1 … 86,400,000.
   */
  readonly stuckMs: number
  /** How often a job is given to a worker before it is given up. Range: 1 … 100. */
  readonly triesMax: number
  /** How long a job waits while no worker that could run it asks for work, in milliseconds. Range: 0 … 3,600,000. */
  readonly startMs: number
  /** How long a job goes on whose submitter's connection is lost, in milliseconds. Range: 0 … 3,600,000. */
  readonly orphanMs: number
  /** Failures in a row of the same work after which it is not taken for a while. Range: 1 … 100. */
  readonly failuresMax: number
  /** For how long then, in milliseconds; doubles with each further failure. Range: 0 … 3,600,000. */
  readonly quarantineMs: number
  /** And never longer than so, in milliseconds. Range: 0 … 3,600,000. */
  readonly quarantineMsMax: number
}

/** What is not said. */
export const BROKER_DEFAULTS: BrokerSettings = Object.freeze({
  // Three renewals; SlateDB's remote compaction reclaims after 30 s, and a worker here says something every few seconds.
  leaseMs: 15_000,
  // Merges say how far they are after every batch of entries; what waits longest in between is a write of one file to a
  // store that has its own, shorter, patience.
  stuckMs: 600_000,
  // One may have been the worker's fault, two a coincidence.
  triesMax: 3,
  // A worker asks again within milliseconds; one that is started anew takes a second or two.
  startMs: 5_000,
  orphanMs: 30_000,
  failuresMax: 3,
  quarantineMs: 10_000,
  quarantineMsMax: 600_000,
})

const DURATIONS = ['leaseMs', 'startMs', 'orphanMs', 'quarantineMs', 'quarantineMsMax'] as const

/** @throws {TypeError | RangeError} naming the setting */
export function resolveBrokerSettings(input: Partial<BrokerSettings> = {}): BrokerSettings {
  const settings = overDefaults(BROKER_DEFAULTS, input)
  checkBrokerSettings(settings)
  return Object.freeze(settings)
}

/** @throws likewise */
export function checkBrokerSettings(settings: BrokerSettings): void {
  for (const name of DURATIONS) checkNumber(name, settings[name], DURATION_MS)
  checkInteger('stuckMs', settings.stuckMs, [1, 86_400_000])
  checkInteger('triesMax', settings.triesMax, [1, 100])
  checkInteger('failuresMax', settings.failuresMax, [1, 100])
}
