/** One workload under several policies: amplifications over its course. */

import { chooseFifo } from '../../src/shard/policy/fifo.ts'
import { chooseLazyLeveled } from '../../src/shard/policy/lazy-leveled.ts'
import { chooseLeveled } from '../../src/shard/policy/leveled.ts'
import { chooseTiered } from '../../src/shard/policy/tiered.ts'
import { KV_DEFAULTS } from '../../src/engines/kv/settings.ts'
import type { KvPolicy, KvSettings } from '../../src/engines/kv/settings.ts'
import { SHARD_DEFAULTS } from '../../src/shard/settings.ts'
import { SimulatedShard } from './simulated-shard.ts'
import type { SimulatedPolicy, SimulationSettings, Totals } from './simulated-shard.ts'
import { sortLatest } from './sorted-keys.ts'
import type { SortedKeys } from './sorted-keys.ts'

export const SIMULATED_POLICIES: Readonly<Record<KvPolicy, SimulatedPolicy>> = {
  leveled: chooseLeveled,
  tiered: chooseTiered,
  'lazy-leveled': chooseLazyLeveled,
  fifo: chooseFifo,
}

/** A memtable on its way to a file. */
export interface Flush {
  readonly keys: SortedKeys
  /** Operations it took, and how many of them were deletions. */
  readonly writes: number
  readonly deletions: number
  /** Keys that have a value once it is full. */
  readonly liveKeys: number
}

/** Moments after each flush. */
export interface Moment {
  readonly writes: number
  /** Bytes of files written for each byte written by the program. */
  readonly writeAmplification: number
  /** Sorted runs: what a scan merges, and a point read looks into where no filter helps. */
  readonly readAmplification: number
  /** Bytes of files for each byte that a reader could see, had nothing been forgotten. */
  readonly spaceAmplification: number
}

export interface Course {
  readonly policy: KvPolicy
  readonly moments: readonly Moment[]
  readonly totals: Totals
  /** Time that writes waited, as a share of the time without waiting. */
  readonly heldShare: number
}

/** The memtables that `codes` fill, one after the other, `entries` in each. */
export function fillMemtables(codes: Uint32Array, entries: number): readonly Flush[] {
  const live = new Map<number, boolean>()
  const flushes: Flush[] = []
  let liveKeys = 0
  for (let start = 0; start < codes.length; start += entries) {
    const part = codes.subarray(start, start + entries)
    let deletions = 0
    for (const code of part) {
      const present = (code & 1) === 0
      if (!present) deletions++
      if ((live.get(code >>> 1) ?? false) !== present) {
        live.set(code >>> 1, present)
        liveKeys += present ? 1 : -1
      }
    }
    flushes.push({ keys: sortLatest(part), writes: part.length, deletions, liveKeys })
  }
  return flushes
}

/** The defaults of the engine, for memtables of another size. */
export function scaledSettings(memtableBytes: number, fifoBytesMax: number): KvSettings {
  const scale = memtableBytes / SHARD_DEFAULTS.memtableBytes
  return {
    ...KV_DEFAULTS,
    levelBytesBase: KV_DEFAULTS.levelBytesBase * scale,
    tableBytes: KV_DEFAULTS.tableBytes * scale,
    fifoBytesMax,
  }
}

export function simulate(
  policy: KvPolicy,
  flushes: readonly Flush[],
  settings: KvSettings,
  { entryBytes, deletionBytes, speed }: Pick<SimulationSettings, 'entryBytes' | 'deletionBytes' | 'speed'>,
): Course {
  const shard = new SimulatedShard(SIMULATED_POLICIES[policy], settings, {
    entryBytes,
    deletionBytes,
    speed,
    tableBytes: settings.tableBytes,
    compactionsMax: SHARD_DEFAULTS.compactionsMax,
    level0FilesStop: policy === 'fifo' ? Infinity : settings.level0FilesStop,
  })
  const moments: Moment[] = []
  let writes = 0
  let bytes = 0
  for (const flush of flushes) {
    shard.flush(flush.keys, flush.writes)
    writes += flush.writes
    bytes += (flush.writes - flush.deletions) * entryBytes + flush.deletions * deletionBytes
    const { flushedBytes, compactedBytes, storedBytes, runs } = shard.totals
    moments.push({
      writes,
      writeAmplification: (flushedBytes + compactedBytes) / bytes,
      readAmplification: runs,
      spaceAmplification: storedBytes / Math.max(1, flush.liveKeys * entryBytes),
    })
  }
  const { totals } = shard
  return { policy, moments, totals, heldShare: totals.heldWrites / writes }
}
