/** Settings of the local journal. */

import { KIB, LIMITS, MIB } from '../kernel/limits.ts'
import { checkInteger, overDefaults } from '../kernel/setting-check.ts'

/** Defaults and their reasons: `LOCAL_JOURNAL_DEFAULTS`. */
export interface LocalJournalSettings {
  /**
   * Size a segment grows to before the next begins, in bytes. Larger: fewer files; smaller: space returns sooner.
   * Range: 4 KiB … 512 MiB.
   */
  readonly segmentBytes: number
  /**
   * Zeros written ahead of the log once `synced` is asked for, in bytes, no more than a segment; 0 writes none.
   * Range: 0 B … 512 MiB.
   */
  readonly preallocateBytes: number
  /** Bytes appended and not yet written above which callers should wait. Twice this is refused. Range: 1 B … 1 GiB. */
  readonly pendingBytesMax: number
  /** Bytes read at once by recovery and replay. Range: 128 B … 64 MiB. */
  readonly readBytes: number
}

/** What is not said. */
export const LOCAL_JOURNAL_DEFAULTS: LocalJournalSettings = Object.freeze({
  // About one memtable: a flush frees about one segment. Smaller ones cost a directory sync more often.
  segmentBytes: 64 * MIB,
  // A sync that changes no metadata costs 91 µs instead of 126. Every chunk costs one longer sync, so not much smaller;
  // what is ahead is written twice and thrown away at the end of a segment, so not much larger.
  preallocateBytes: 4 * MIB,
  // Some 10 ms of a disk's bandwidth: enough to keep it busy while a turn is late.
  pendingBytesMax: 16 * MIB,
  // What replay applies without a turn of the event loop: 1 ms at entries of 116 bytes, some 8 at the smallest. A round
  // trip to the thread pool (31 µs) is a few hundredths of it.
  readBytes: 128 * KIB,
})

/** @throws {TypeError | RangeError} naming the setting */
export function resolveLocalJournalSettings(input: Partial<LocalJournalSettings> = {}): LocalJournalSettings {
  const settings = overDefaults(LOCAL_JOURNAL_DEFAULTS, input)
  checkInteger('segmentBytes', settings.segmentBytes, [4 * KIB, LIMITS.batchBytesMax])
  checkInteger('preallocateBytes', settings.preallocateBytes, [0, settings.segmentBytes])
  checkInteger('pendingBytesMax', settings.pendingBytesMax, [1, 2 * LIMITS.batchBytesMax])
  checkInteger('readBytes', settings.readBytes, [128, 64 * MIB])
  return Object.freeze(settings)
}
