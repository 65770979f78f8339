/** How many jobs run and wait. */

import { MIB } from '../kernel/limits.ts'
import { checkIntegers, overDefaults } from '../kernel/setting-check.ts'

/** Defaults and their reasons: `QUEUE_DEFAULTS`; schedulers may have others. */
export interface QueueSettings {
  /** Jobs that run at a time. Range: 1 … 1,024. */
  readonly concurrency: number
  /**
   * Of these, how many places are kept for urgent jobs (priority 0 and below), while there are any. One place is always
   * for all. Range: 0 … 1,024.
   */
  readonly urgentPlaces: number
  /** Jobs that have not settled; with as many, `submit` throws BUSY. Range: 1 … 1,000,000. */
  readonly pendingMax: number
  /**
   * Memory that running jobs may need together, in bytes. An urgent job, and one that runs alone, is never held back.
   * Range: 1 B or more.
   */
  readonly memoryBytesMax: number
  /** What this scheduler's place has, such as `gpu`. */
  readonly labels: readonly string[]
}

/** What is not said. */
export const QUEUE_DEFAULTS: QueueSettings = Object.freeze({
  // A compaction, and beside it the flush that writes are waiting for.
  concurrency: 2,
  // Compactions last seconds, and writes stop when no flush gets through.
  urgentPlaces: 1,
  // A shard keeps a handful of jobs; this is room for the shards of a process, and a waiting spec takes about a kilobyte.
  pendingMax: 256,
  // Three merges with their buffers stay under the 96 MiB that varve may take beside memtables and cache.
  memoryBytesMax: 64 * MIB,
  labels: Object.freeze([]),
})

const RANGES = {
  concurrency: [1, 1024],
  urgentPlaces: [0, 1024],
  pendingMax: [1, 1_000_000],
  memoryBytesMax: [1, Number.MAX_SAFE_INTEGER],
} as const

/** @throws {TypeError | RangeError} naming the setting */
export function resolveQueueSettings(input: Partial<QueueSettings> = {}): QueueSettings {
  return Object.freeze(checkedQueueSettings(overDefaults(QUEUE_DEFAULTS, input)))
}

/** `settings`, which may be more than those of a queue, with labels of their own. @throws likewise */
export function checkedQueueSettings<Settings extends QueueSettings>(settings: Settings): Settings {
  checkIntegers(settings, RANGES)
  return { ...settings, labels: checkedLabels(settings.labels) }
}

/** A frozen copy. @throws {TypeError} */
export function checkedLabels(labels: readonly string[]): readonly string[] {
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === 'string'))
    throw new TypeError('labels must be an array of strings')
  return Object.freeze([...labels])
}
