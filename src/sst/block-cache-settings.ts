/** Settings of the block cache. */

import { MIB } from '../kernel/limits.ts'
import { checkSettingNames, checkSettingRange } from './setting-check.ts'

export interface BlockCacheSettings {
  /** Memory for decoded blocks, indexes and filters, in bytes. 0 keeps no block. */
  readonly cacheBytes: number
  /** Part of the blocks' budget that new blocks share before they have been used again. 0 … 1. */
  readonly probationShare: number
}

export const BLOCK_CACHE_DEFAULTS: BlockCacheSettings = Object.freeze({
  // Indexes and filters of about 20M entries, or of 10M and a third of it for blocks.
  cacheBytes: 64 * MIB,
  // S3-FIFO has 0.1 with ghosts behind it; without them a block needs longer to be asked for a second time.
  probationShare: 0.25,
})

/** @throws {TypeError | RangeError} */
export function resolveBlockCacheSettings(input: Partial<BlockCacheSettings> = {}): BlockCacheSettings {
  checkSettingNames('block cache', input, BLOCK_CACHE_DEFAULTS)
  const settings = { ...BLOCK_CACHE_DEFAULTS, ...input }
  checkSettingRange('cacheBytes', settings.cacheBytes, 0, Number.MAX_SAFE_INTEGER)
  if (!(settings.probationShare >= 0 && settings.probationShare <= 1)) {
    throw new RangeError(`probationShare must be 0 … 1, got ${String(settings.probationShare)}`)
  }
  return Object.freeze(settings)
}
