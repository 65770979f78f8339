/** How a journal uses its stream. */

import { MIB } from '../../kernel/limits.ts'
import { checkInteger, overDefaults } from '../../kernel/setting-check.ts'
import { NATS_LOG_DEFAULTS, checkLogSettings } from '../../nats/log-settings.ts'
import type { NatsLogSettings } from '../../nats/log-settings.ts'

/** Defaults and their reasons: `NATS_JOURNAL_DEFAULTS`. */
export interface NatsJournalSettings extends NatsLogSettings {
  /** Messages under way. Range: 1 … 65,536. */
  readonly windowMessages: number
  /** Bytes appended and not acknowledged above which callers should wait. Range: 1 B or more. */
  readonly pendingBytesMax: number
}

/** What is not said. */
export const NATS_JOURNAL_DEFAULTS: NatsJournalSettings = Object.freeze({
  ...NATS_LOG_DEFAULTS,
  // 22,000 messages a second on three nodes, where one that waits for its answer makes 1,700. More gain nothing.
  windowMessages: 256,
  pendingBytesMax: 8 * MIB,
})

/** @throws {TypeError | RangeError} naming the setting */
export function resolveNatsJournalSettings(input: Partial<NatsJournalSettings> = {}): NatsJournalSettings {
  const settings = overDefaults(NATS_JOURNAL_DEFAULTS, input)
  checkLogSettings(settings)
  checkInteger('windowMessages', settings.windowMessages, [1, 65_536])
  checkInteger('pendingBytesMax', settings.pendingBytesMax, [1, Number.MAX_SAFE_INTEGER])
  return Object.freeze(settings)
}
