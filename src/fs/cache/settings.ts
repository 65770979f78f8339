/** How a disk cache divides its space. */

import { KIB, MIB } from '../../kernel/limits.ts'
import { checkIntegers, overDefaults } from '../../kernel/setting-check.ts'

/** Defaults and their reasons: `DISK_CACHE_DEFAULTS`. */
export interface DiskCacheSettings {
  /**
   * What is fetched, kept, checked and evicted as one, in bytes. Larger: fewer requests for neighbours, more read for
   * one block. Range: 4 KiB … 16 MiB.
   */
  readonly chunkBytes: number
  /** What is written to the store is kept, too. */
  readonly keepsWritten: boolean
  /** Bytes that wait to be written to the disk; what comes while there are more is not kept. Range: 0 B … 1 GiB. */
  readonly pendingBytesMax: number
}

/** What is not said. */
export const DISK_CACHE_DEFAULTS: DiskCacheSettings = Object.freeze({
  // Sixteen blocks. Reading and checking so much takes 30 µs of what the system has in memory, a thousandth of a request.
  chunkBytes: 64 * KIB,
  // What a flush or compaction writes is what is read next.
  keepsWritten: true,
  pendingBytesMax: 32 * MIB,
})

const RANGES = {
  chunkBytes: [4 * KIB, 16 * MIB],
  pendingBytesMax: [0, 1024 * MIB],
} as const

/** @throws {TypeError} unknown name or wrong type; {RangeError} out of range */
export function resolveDiskCacheSettings(input: Partial<DiskCacheSettings> = {}): DiskCacheSettings {
  const settings = overDefaults(DISK_CACHE_DEFAULTS, input)
  checkIntegers(settings, RANGES)
  if (typeof settings.keepsWritten !== 'boolean') throw new TypeError('keepsWritten must be true or false')
  return Object.freeze(settings)
}
