/** Defaults of the key-value engine, and the one place that checks them. */

import { KIB, MIB } from '../../kernel/limits.ts'
import { ROW_TABLE_DEFAULTS } from '../../sst/row-settings.ts'
import { LEVELED_DEFAULTS } from '../../shard/policy/leveled.ts'
import type { LeveledSettings } from '../../shard/policy/leveled.ts'

export interface KvSettings extends LeveledSettings {
  /** Memory for blocks, indexes and filters, in bytes. */
  readonly cacheBytes: number
  /** Table files held open. */
  readonly openFilesMax: number
  /** A compaction starts another output file at this size, in bytes. Larger: fewer files; smaller: finer compactions. */
  readonly tableBytes: number
  /** Uncompressed size of a data block. Larger: smaller index, better compression; smaller: less to read for one key. */
  readonly blockBytes: number
  readonly compression: 'none' | 'lz4'
  /** Filter bits for each key; 0 for none. 10 let through about 1 lookup in 100 for a key that is not there. */
  readonly filterBitsPerKey: number
}

export const KV_DEFAULTS: KvSettings = Object.freeze({
  ...LEVELED_DEFAULTS,
  // LevelDB's users get 8 MiB and complain, RocksDB's get 32; a Node process has room for more.
  cacheBytes: 64 * MIB,
  // Half of the usual limit of 1,024 descriptors.
  openFilesMax: 512,
  // RocksDB's target_file_size_base.
  tableBytes: 64 * MIB,
  blockBytes: ROW_TABLE_DEFAULTS.blockBytes,
  compression: 'lz4',
  filterBitsPerKey: 10,
})

const RANGES: Readonly<Record<Exclude<keyof KvSettings, 'compression'>, readonly [number, number]>> = {
  level0Files: [1, 1000],
  level0FilesStop: [2, 10_000],
  levelBytesBase: [1 * KIB, Number.MAX_SAFE_INTEGER],
  levelSizeRatio: [2, 100],
  levelCount: [2, 32],
  cacheBytes: [0, Number.MAX_SAFE_INTEGER],
  openFilesMax: [8, 1_000_000],
  tableBytes: [1 * KIB, 1024 * MIB],
  blockBytes: [64, 1 * MIB],
  filterBitsPerKey: [0, 40],
}

/** Names of the settings that belong to the engine; the rest of `KvOpenOptions.settings` is the shard's. */
export function isKvSetting(name: string): name is keyof KvSettings {
  return Object.hasOwn(KV_DEFAULTS, name)
}

/** @throws {TypeError} not a number, unknown compression; {RangeError} out of range */
export function resolveKvSettings(input: Partial<KvSettings> = {}): KvSettings {
  const settings = { ...KV_DEFAULTS, ...input }
  for (const name of Object.keys(RANGES) as (keyof typeof RANGES)[]) {
    const value: unknown = settings[name]
    const [least, most] = RANGES[name]
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new TypeError(`${name} must be a number, got ${String(value)}`)
    if (value < least || value > most) throw new RangeError(`${name} must be ${least}…${most}, got ${value}`)
  }
  if (!['none', 'lz4'].includes(settings.compression)) {
    throw new TypeError(`compression must be 'none' or 'lz4', got ${settings.compression}`)
  }
  if (settings.level0FilesStop <= settings.level0Files) {
    throw new RangeError(
      `level0FilesStop must be above level0Files, got ${settings.level0FilesStop} and ${settings.level0Files}`,
    )
  }
  return Object.freeze(settings)
}
