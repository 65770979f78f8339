/** Settings of the block cache. */

import { MIB } from '../kernel/limits.ts'
import { checkInteger, checkNumber, overDefaults } from '../kernel/setting-check.ts'

/** Defaults and their reasons: `BLOCK_CACHE_DEFAULTS`. */
export interface BlockCacheSettings {
  /** Memory for decoded blocks, indexes and filters, in bytes. 0 keeps no block. Range: 0 B or more. */
  readonly cacheBytes: number
  /** Part of the blocks' budget that new blocks share before they have been used again. Range: 0 … 1. */
  readonly probationShare: number
}

/** What is not said. */
export const BLOCK_CACHE_DEFAULTS: BlockCacheSettings = Object.freeze({
  // Indexes and filters of about 20M entries, or of 10M and a third of it for blocks.
  cacheBytes: 64 * MIB,
  // S3-FIFO has 0.1 with ghosts behind it; without them a block needs longer to be asked for a second time.
  probationShare: 0.25,
})

/** @throws {TypeError | RangeError} */
export function resolveBlockCacheSettings(input: Partial<BlockCacheSettings> = {}): BlockCacheSettings {
  const settings = overDefaults(BLOCK_CACHE_DEFAULTS, input)
  checkInteger('cacheBytes', settings.cacheBytes, [0, Number.MAX_SAFE_INTEGER])
  checkNumber('probationShare', settings.probationShare, [0, 1])
  return Object.freeze(settings)
}
