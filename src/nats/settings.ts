/** How varve speaks with JetStream. */

export interface NatsSettings {
  /** How long one request may take, in milliseconds, before it counts as not answered. */
  readonly requestMs: number
  /** In front of subjects of the JetStream API: `$JS.<domain>.API` for that of a domain. */
  readonly apiPrefix: string
  /** In front of subjects that answers come to: what the client was told, where it was told another. */
  readonly inboxPrefix: string
}

export const NATS_DEFAULTS: NatsSettings = Object.freeze({
  // A cluster takes 0.5 ms, an election of a leader up to 5 s: those who may not give up ask again.
  requestMs: 2_000,
  apiPrefix: '$JS.API',
  inboxPrefix: '_INBOX',
})

/** @throws {RangeError | TypeError} naming the setting */
export function resolveNatsSettings(input: Partial<NatsSettings> = {}): NatsSettings {
  const settings = { ...NATS_DEFAULTS, ...input }
  if (!(settings.requestMs >= 1 && settings.requestMs <= 3_600_000))
    throw new RangeError(`requestMs must be 1…3600000, got ${settings.requestMs}`)
  for (const name of ['apiPrefix', 'inboxPrefix'] as const)
    if (!/^[^\s*>]+$/.test(settings[name])) throw new TypeError(`${name} must be a subject, got ${settings[name]}`)
  return Object.freeze(settings)
}
