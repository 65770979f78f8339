/** Settings of the row format's writer. Readers need none: a file says what it is. */

import { KIB, MIB } from '../kernel/limits.ts'
import { checkInteger, checkNumber, overDefaults } from '../kernel/setting-check.ts'
import { BLOCK_CODECS } from './block-codec.ts'
import type { BlockCodecName } from './block-codec.ts'

/** Defaults and their reasons: `ROW_TABLE_DEFAULTS`. */
export interface RowTableSettings {
  /**
   * Target size of a decoded data block, in bytes. Larger: smaller file and index, more decompressed per cold get.
   * Range: 64 B … 1 MiB.
   */
  readonly blockBytes: number
  /** How blocks are stored. */
  readonly codec: BlockCodecName
  /** Filter bits per distinct key, on average. 0: no filter. Range: 0 … 40. */
  readonly filterBitsPerKey: number
}

/** What is not said. */
export const ROW_TABLE_DEFAULTS: RowTableSettings = Object.freeze({
  // With 16-byte keys and 100-byte values, half compressible (docs/formats/row-table.md has the table): 4 KiB builds 15%
  // slower and has 40% more index and filter for a cold get up to 20% sooner; 16 KiB builds no faster and decompresses
  // twice as much per cold get.
  blockBytes: 8 * KIB,
  // Halves what has to be read and stored for about 1 ns a byte; `none` builds about twice as fast.
  codec: 'lz4',
  // 1% false positives. 5 bits: 9%; 15 bits: 0.2% for half as much memory again.
  filterBitsPerKey: 10,
})

/** @throws {TypeError | RangeError} naming the setting */
export function resolveRowTableSettings(input: Readonly<Record<string, unknown>> = {}): RowTableSettings {
  const settings = overDefaults<RowTableSettings>(ROW_TABLE_DEFAULTS, input)
  checkInteger('blockBytes', settings.blockBytes, [64, 1 * MIB])
  checkNumber('filterBitsPerKey', settings.filterBitsPerKey, [0, 40])
  if (!BLOCK_CODECS.includes(settings.codec)) {
    throw new RangeError(`codec must be one of ${BLOCK_CODECS.join(', ')}, got ${JSON.stringify(settings.codec)}`)
  }
  return Object.freeze(settings)
}
