/** How varve speaks with JetStream. */

import { checkNumber, overDefaults } from '../kernel/setting-check.ts'

/** Defaults and their reasons: `NATS_DEFAULTS`. */
export interface NatsSettings {
  /** How long one request may take, in milliseconds, before it counts as not answered. Range: 1 … 3,600,000. */
  readonly requestMs: number
  /**
   * How long nothing may be answered as long as nothing ever was, in milliseconds: whoever opens something waits no
   * longer. Range: 1 … 3,600,000.
   */
  readonly openMs: number
  /** In front of subjects of the JetStream API: `$JS.<domain>.API` for that of a domain. */
  readonly apiPrefix: string
  /** In front of subjects that answers come to: what the client was told, where it was told another. */
  readonly inboxPrefix: string
}

/** What is not said. */
export const NATS_DEFAULTS: NatsSettings = Object.freeze({
  // A cluster takes 0.5 ms, an election of a leader up to 5 s: those who may not give up ask again.
  requestMs: 2_000,
  // Two elections. Who has another address, account or domain than is meant should not wait for longer.
  openMs: 10_000,
  apiPrefix: '$JS.API',
  inboxPrefix: '_INBOX',
})

/** @throws {TypeError | RangeError} naming the setting */
export function resolveNatsSettings(input: Partial<NatsSettings> = {}): NatsSettings {
  const settings = overDefaults(NATS_DEFAULTS, input)
  for (const name of ['requestMs', 'openMs'] as const) checkNumber(name, settings[name], [1, 3_600_000])
  for (const name of ['apiPrefix', 'inboxPrefix'] as const)
    if (!/^[^\s*>]+$/.test(settings[name])) throw new TypeError(`${name} must be a subject, got ${settings[name]}`)
  return Object.freeze(settings)
}
