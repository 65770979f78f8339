/** Defaults of the generic shard, and the one place that checks them. */

import { KIB, MIB } from '../kernel/limits.ts'
import { checkIntegers, overDefaults } from '../kernel/setting-check.ts'
import type { SettingRange } from '../kernel/setting-check.ts'

/** Whole numbers, all of them. Defaults and their reasons: `SHARD_DEFAULTS`. */
export interface ShardSettings {
  /** A memtable of this size is frozen and flushed, in bytes. Range: 1 KiB … 2 GiB. */
  readonly memtableBytes: number
  /** Frozen memtables that may wait; writes wait while there are more. Range: 1 … 64. */
  readonly frozenMax: number
  /** Compactions at a time. Range: 1 … 64. */
  readonly compactionsMax: number
  /** Bytes of writes that may wait while writes are held back; beyond, they reject with BUSY. Range: 0 B or more. */
  readonly queuedBytesMax: number
  /**
   * A group of writes is handed to the journal at this size, in bytes, even within one turn of the event loop.
   * Range: 1 B … 64 MiB.
   */
  readonly groupBytesMax: number
  /** A failed job is tried again after this many milliseconds, doubling up to a minute. Range: 1 … 60,000. */
  readonly retryDelayMs: number
  /**
   * Writes that wait for flushes or compactions that have failed, and none of which has succeeded for so many
   * milliseconds, reject with BUSY. Range: 0 … 3,600,000.
   */
  readonly stallMs: number
  /**
   * How long closing waits for files and heads that do not answer, in milliseconds. What flushes, compactions and
   * removals have not done by then is left to the next opening. For the journal closing is as patient as that is.
   * Range: 0 … 3,600,000.
   */
  readonly closeMs: number
}

/**
 * What is not said. `open` of `varve` takes smaller ones in a small container: docs/decisions/0026-little-memory.md.
 */
export const SHARD_DEFAULTS: ShardSettings = Object.freeze({
  // With two frozen ones 96 MiB in all. At 64 MiB, RocksDB's write_buffer_size, a load of 10M keys wrote 2.5 instead of
  // 2.7 bytes for each that was given, and took 100 MiB more memory.
  memtableBytes: 32 * MIB,
  // One being flushed, one waiting: three memtables in memory at the most.
  frozenMax: 2,
  // One long compaction must not keep level 0 waiting.
  compactionsMax: 2,
  // What a program may issue without awaiting anything while compaction catches up, before it is told to slow down.
  queuedBytesMax: 256 * MIB,
  // Large enough to amortise a write call, small enough to start writing while a long synchronous loop goes on.
  groupBytesMax: 256 * KIB,
  retryDelayMs: 100,
  // Six attempts. A program that awaits its puts hears of what is gone before anybody takes it for dead.
  stallMs: 5_000,
  // Nothing is lost with what is given up then; a store that is slow, but there, takes less for what is under way.
  closeMs: 5_000,
})

const RANGES: Readonly<Record<keyof ShardSettings, SettingRange>> = {
  memtableBytes: [1 * KIB, 2048 * MIB],
  frozenMax: [1, 64],
  compactionsMax: [1, 64],
  queuedBytesMax: [0, Number.MAX_SAFE_INTEGER],
  groupBytesMax: [1, 64 * MIB],
  retryDelayMs: [1, 60_000],
  stallMs: [0, 3_600_000],
  closeMs: [0, 3_600_000],
}

/** @throws {TypeError} unknown name or not an integer; {RangeError} out of range */
export function resolveShardSettings(input: Partial<ShardSettings> = {}): ShardSettings {
  const settings = overDefaults(SHARD_DEFAULTS, input)
  checkIntegers(settings, RANGES)
  return Object.freeze(settings)
}
