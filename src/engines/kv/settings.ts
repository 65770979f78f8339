/** Defaults of the key-value engine, and the one place that checks them. */

import { KIB, MIB } from '../../kernel/limits.ts'
import { checkIntegers, checkNumber, overDefaults } from '../../kernel/setting-check.ts'
import { ROW_TABLE_DEFAULTS } from '../../sst/row-settings.ts'
import { FIFO_DEFAULTS } from '../../shard/policy/fifo.ts'
import type { FifoSettings } from '../../shard/policy/fifo.ts'
import { LEVELED_DEFAULTS } from '../../shard/policy/leveled.ts'
import type { LeveledSettings } from '../../shard/policy/leveled.ts'
import { TIERED_DEFAULTS, TIERED_LEVEL_LAST } from '../../shard/policy/tiered.ts'
import type { TieredSettings } from '../../shard/policy/tiered.ts'

/** The policies there are; see docs/policies.md. */
export const KV_POLICIES = Object.freeze(['leveled', 'tiered', 'fifo', 'lazy-leveled'] as const)

/** Name of a compaction policy. */
export type KvPolicy = (typeof KV_POLICIES)[number]

/**
 * Of the key-value engine. Those of the policies that are not in use are ignored. Defaults and their reasons:
 * `KV_DEFAULTS`.
 */
export interface KvSettings extends LeveledSettings, TieredSettings, FifoSettings {
  /**
   * How tables are compacted: see docs/policies.md. Not recorded: a shard may be opened with another at any time. With
   * `fifo` the oldest tables are forgotten when all are larger than `fifoBytesMax`: for caches.
   */
  readonly policy: KvPolicy
  /** Memory for blocks, indexes, filters and copies of entries that are read often, in bytes. Range: 0 B or more. */
  readonly cacheBytes: number
  /** Table files held open. Range: 8 … 1,000,000. */
  readonly openFilesMax: number
  /**
   * A compaction starts another output file at this size, in bytes. Larger: fewer files; smaller: finer compactions.
   * Range: 1 KiB … 1 GiB.
   */
  readonly tableBytes: number
  /**
   * A compaction of more input, in bytes, is divided by ranges of keys among jobs of this size or up to four times as
   * much, which run at the same time where there are workers for them. Range: 1 KiB or more.
   */
  readonly jobBytes: number
  /**
   * Of what each job elsewhere has merged, so many stretches of some 64 entries, chosen by chance, are merged again here and
   * compared before it is put in place of its inputs. 0: only its names, counts, bounds and footers are looked at. Range:
   * 0 … 10,000.
   */
  readonly jobSamples: number
  /**
   * Uncompressed size of a data block, in bytes. Larger: smaller index, better compression; smaller: less to read for
   * one key. Range: 64 B … 1 MiB.
   */
  readonly blockBytes: number
  /** Of data blocks, written from now on: tables of both kinds are read. `none` is faster to write and larger. */
  readonly compression: 'none' | 'lz4'
  /**
   * Filter bits for each key; 0 for none. 10 let through about 1 lookup in 100 for a key that is not there.
   * Range: 0 … 40.
   */
  readonly filterBitsPerKey: number
  /**
   * Flushes and compactions write a key column beside every table: keys and lengths of values, to be read without the
   * values. May change at any opening; tables get one when they are written next.
   */
  readonly keyColumns: boolean
}

/**
 * What is not said. `open` of `varve` takes smaller ones in a small container: docs/decisions/0026-little-memory.md.
 */
export const KV_DEFAULTS: KvSettings = Object.freeze({
  ...TIERED_DEFAULTS,
  ...FIFO_DEFAULTS,
  ...LEVELED_DEFAULTS,
  // Reads and space before writes: what most programs notice.
  policy: 'leveled',
  // As much as two million entries of 116 bytes: docs/decisions/0010-block-cache.md. Only what is read is kept.
  cacheBytes: 256 * MIB,
  // Half of the usual limit of 1,024 descriptors.
  openFilesMax: 512,
  // Half of RocksDB's target_file_size_base: a job that writes one holds its filter and index in memory.
  tableBytes: 32 * MIB,
  // A job of 16 MiB takes about half a second, a hundred times what it costs to begin another.
  jobBytes: 16 * MIB,
  // A hundredth of the work of a job: what a worker leaves out of everything is found at once, of one key in a hundred soon.
  jobSamples: 2,
  blockBytes: ROW_TABLE_DEFAULTS.blockBytes,
  compression: 'lz4',
  filterBitsPerKey: 10,
  // Costs about an eighth of a table of 100-byte values, and few need it.
  keyColumns: false,
})

const RANGES = {
  level0Files: [1, 1000],
  level0FilesStop: [2, 10_000],
  levelBytesBase: [1 * KIB, Number.MAX_SAFE_INTEGER],
  levelCount: [2, TIERED_LEVEL_LAST + 1],
  tierRuns: [2, 16],
  fifoBytesMax: [0, Number.MAX_SAFE_INTEGER],
  cacheBytes: [0, Number.MAX_SAFE_INTEGER],
  openFilesMax: [8, 1_000_000],
  tableBytes: [1 * KIB, 1024 * MIB],
  jobBytes: [1 * KIB, Number.MAX_SAFE_INTEGER],
  jobSamples: [0, 10_000],
  blockBytes: [64, 1 * MIB],
} as const

// Averages; of everything else there are whole ones.
const FRACTIONS = { levelSizeRatio: [2, 100], filterBitsPerKey: [0, 40] } as const

/** Names of the settings that belong to the engine; the rest of `KvOpenOptions.settings` is the shard's. */
export function isKvSetting(name: string): name is keyof KvSettings {
  return Object.hasOwn(KV_DEFAULTS, name)
}

/** @throws {TypeError} not a number or not whole, unknown compression; {RangeError} out of range */
export function resolveKvSettings(input: Partial<KvSettings> = {}): KvSettings {
  const settings = overDefaults(KV_DEFAULTS, input)
  checkIntegers(settings, RANGES)
  checkNumber('levelSizeRatio', settings.levelSizeRatio, FRACTIONS.levelSizeRatio)
  checkNumber('filterBitsPerKey', settings.filterBitsPerKey, FRACTIONS.filterBitsPerKey)
  if (!['none', 'lz4'].includes(settings.compression)) {
    throw new TypeError(`compression must be 'none' or 'lz4', got ${settings.compression}`)
  }
  if (typeof settings.keyColumns !== 'boolean') {
    throw new TypeError(`keyColumns must be a boolean, got ${typeof settings.keyColumns}`)
  }
  if (!KV_POLICIES.includes(settings.policy)) {
    throw new TypeError(`policy must be one of '${KV_POLICIES.join("', '")}', got ${settings.policy}`)
  }
  if (settings.level0FilesStop <= settings.level0Files) {
    throw new RangeError(
      `level0FilesStop must be above level0Files, got ${settings.level0FilesStop} and ${settings.level0Files}`,
    )
  }
  return Object.freeze(settings)
}
