/** What everything that is kept in a stream has to know. */

import { KIB, MIB } from '../kernel/limits.ts'

export interface NatsLogSettings {
  /** In front of the names of streams and subjects: letters, digits, `_` and `-`. */
  readonly prefix: string
  /** Servers that have each message: 1, 3 or 5. A stream that is there already may have more. */
  readonly replicas: number
  /** Payload of one message, in bytes; half of what the server takes at the most. */
  readonly fragmentBytes: number
  /** How long nothing may be answered before it is given up, in milliseconds. */
  readonly resumeMs: number
}

export const NATS_LOG_DEFAULTS: NatsLogSettings = Object.freeze({
  prefix: 'varve',
  replicas: 1,
  // Servers take 1 MiB as they come, and a message that is asked for by itself comes back a third larger.
  fragmentBytes: 512 * KIB,
  // A leader that is killed is followed by another within 5 s; three that are started anew take 15.
  resumeMs: 30_000,
})

/** @throws {RangeError | TypeError} naming the setting */
export function checkLogSettings({ prefix, replicas, fragmentBytes, resumeMs }: NatsLogSettings): void {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(prefix))
    throw new TypeError(`prefix must be letters, digits, _ and -, got ${JSON.stringify(prefix)}`)
  if (![1, 3, 5].includes(replicas)) throw new RangeError(`replicas must be 1, 3 or 5, got ${replicas}`)
  checkRange('fragmentBytes', fragmentBytes, 1, 8 * MIB)
  checkRange('resumeMs', resumeMs, 0, 3_600_000)
}

/** @throws {RangeError} */
export function checkRange(name: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new RangeError(`${name} must be ${min}…${max}, got ${value}`)
}
