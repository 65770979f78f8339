/** How a disk cache divides its space. */

import { KIB, MIB } from '../../kernel/limits.ts'

export interface DiskCacheSettings {
  /** What is fetched, kept, checked and evicted as one, in bytes. Larger: fewer requests for neighbours, more read for one block. */
  readonly chunkBytes: number
  /** What is written to the store is kept, too. */
  readonly keepsWritten: boolean
  /** Bytes that wait to be written to the disk; what comes while there are more is not kept. */
  readonly pendingBytesMax: number
}

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
  for (const name of Object.keys(input))
    if (!Object.hasOwn(DISK_CACHE_DEFAULTS, name)) throw new TypeError(`unknown setting ${name}`)
  const settings = { ...DISK_CACHE_DEFAULTS, ...input }
  if (typeof settings.keepsWritten !== 'boolean') throw new TypeError('keepsWritten must be true or false')
  for (const name of ['chunkBytes', 'pendingBytesMax'] as const) {
    const value: unknown = settings[name]
    const [least, most] = RANGES[name]
    if (typeof value !== 'number' || !Number.isInteger(value)) throw new TypeError(`${name} must be an integer`)
    if (value < least || value > most) throw new RangeError(`${name} must be ${least}…${most}, got ${value}`)
  }
  return Object.freeze(settings)
}
