/** Settings of the shared journal. */

import { MIB } from '../kernel/limits.ts'
import { checkInteger, checkNumber, overDefaults } from '../kernel/setting-check.ts'

/** Defaults and their reasons: `SHARED_JOURNAL_DEFAULTS`. */
export interface SharedJournalSettings {
  /**
   * Bytes of the log below that nobody needs before any go, since each time every shard's state is written again.
   * Range: 0 B or more.
   */
  readonly reclaimBytes: number
  /** Of those, what shards still need may be copied up to a share of one in so many. Range: 1 or more. */
  readonly copyShare: number
}

/** What is not said. */
export const SHARED_JOURNAL_DEFAULTS: SharedJournalSettings = Object.freeze({
  // A segment of the local journal: less cannot be given back.
  reclaimBytes: 64 * MIB,
  copyShare: 4,
})

/** @throws {TypeError | RangeError} naming the setting */
export function resolveSharedJournalSettings(input: Partial<SharedJournalSettings> = {}): SharedJournalSettings {
  const settings = overDefaults(SHARED_JOURNAL_DEFAULTS, input)
  checkInteger('reclaimBytes', settings.reclaimBytes, [0, Number.MAX_SAFE_INTEGER])
  checkNumber('copyShare', settings.copyShare, [1, Infinity])
  return Object.freeze(settings)
}
