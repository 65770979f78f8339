/** How many connections to a database there are, and how patient they are. */

import { checkInteger, checkNumber, overDefaults } from '../kernel/setting-check.ts'

/** Defaults and their reasons: `POSTGRES_DEFAULTS`. */
export interface PostgresSettings {
  /** Schema that holds varve's tables; 1 … 40 bytes in UTF-8. */
  readonly schema: string
  /** Connections that run statements; one more listens, where there are jobs. Range: 1 … 1,000. */
  readonly connectionsMax: number
  /** How long a connection may take to be made, with its greetings, in milliseconds. Range: 1 … 3,600,000. */
  readonly connectMs: number
  /**
   * How long the server may take for one statement, in milliseconds; twice that until it counts as gone.
   * Range: 1 … 3,600,000.
   */
  readonly answerMs: number
  /**
   * How long the server may be away, in milliseconds: for so long, what can be asked again is asked again, also while
   * something is opened. Where connections are not refused but silent, it may take `connectMs` longer.
   * Range: 1 … 3,600,000.
   */
  readonly awayMs: number
  /** Unused connections are closed after this, in milliseconds. Range: 1 … 3,600,000. */
  readonly idleMs: number
  /** Makes tables that are missing; `false`: only checks that they are there. */
  readonly create: boolean
}

/** What is not said. */
export const POSTGRES_DEFAULTS: PostgresSettings = Object.freeze({
  schema: 'varve',
  // A shard has one statement under way, and a server in its default settings takes 100 connections of everybody.
  connectionsMax: 8,
  // Two tries in the time that the server may be away.
  connectMs: 5_000,
  // A row of a megabyte takes milliseconds; what waits for a lock waits for another owner's statement.
  answerMs: 15_000,
  // As the remote journal: a server that is started again takes a second or two, a failover some more.
  awayMs: 10_000,
  idleMs: 60_000,
  create: true,
})

/** @throws {TypeError | RangeError} naming the setting */
export function resolvePostgresSettings(input: Partial<PostgresSettings> = {}): PostgresSettings {
  const settings = overDefaults(POSTGRES_DEFAULTS, input)
  const { schema, connectionsMax, create } = settings
  if (typeof schema !== 'string' || schema.includes('\0') || schema === '' || Buffer.byteLength(schema) > 40)
    throw new RangeError(`schema must have 1…40 bytes, got ${JSON.stringify(schema)}`)
  checkInteger('connectionsMax', connectionsMax, [1, 1000])
  if (typeof create !== 'boolean') throw new TypeError('create must be a boolean')
  for (const name of ['connectMs', 'answerMs', 'awayMs', 'idleMs'] as const)
    checkNumber(name, settings[name], [1, 3_600_000])
  return Object.freeze(settings)
}
