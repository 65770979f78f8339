/** What everything that is kept in a stream has to know. */

import { KIB, MIB } from '../kernel/limits.ts'
import { DURATION_MS, checkInteger, overDefaults } from '../kernel/setting-check.ts'

/** Defaults and their reasons: `NATS_LOG_DEFAULTS`. */
export interface NatsLogSettings {
  /** In front of the names of streams and subjects: 1 … 64 letters, digits, `_` and `-`. */
  readonly prefix: string
  /** Servers that have each message: 1, 3 or 5. A stream that is there already may have more. */
  readonly replicas: number
  /** Payload of one message, in bytes; half of what the server takes at the most. Range: 1 B … 8 MiB. */
  readonly fragmentBytes: number
  /** How long nothing may be answered before it is given up, in milliseconds. Range: 0 … 3,600,000. */
  readonly resumeMs: number
}

/** What is not said. */
export const NATS_LOG_DEFAULTS: NatsLogSettings = Object.freeze({
  prefix: 'varve',
  replicas: 1,
  // Servers take 1 MiB as they come, and a message that is asked for by itself comes back a third larger.
  fragmentBytes: 512 * KIB,
  // A leader that is killed is followed by another within 5 s; three that are started anew take 15. Who closes waits for so
  // long, and should have ended within 30 s.
  resumeMs: 25_000,
})

/** @throws {TypeError | RangeError} naming the setting */
export function resolveNatsLogSettings(input: Partial<NatsLogSettings> = {}): NatsLogSettings {
  const settings = overDefaults(NATS_LOG_DEFAULTS, input)
  checkLogSettings(settings)
  return Object.freeze(settings)
}

/** @throws likewise */
export function checkLogSettings({ prefix, replicas, fragmentBytes, resumeMs }: NatsLogSettings): void {
  if (typeof prefix !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(prefix))
    throw new TypeError(`prefix must be letters, digits, _ and -, got ${JSON.stringify(prefix)}`)
  checkInteger('replicas', replicas, [1, 5])
  if (replicas % 2 === 0) throw new RangeError(`replicas must be 1, 3 or 5, got ${replicas}`)
  checkInteger('fragmentBytes', fragmentBytes, [1, 8 * MIB])
  checkInteger('resumeMs', resumeMs, DURATION_MS)
}
