/** How many jobs run and wait. */

import { MIB } from '../kernel/limits.ts'

export interface QueueSettings {
  /** Jobs that run at a time. */
  readonly concurrency: number
  /**
   * Of these, how many places are kept for urgent jobs (priority 0 and below), while there are any. One place is always
   * for all.
   */
  readonly urgentPlaces: number
  /** Jobs that have not settled; with as many, `submit` throws BUSY. */
  readonly pendingMax: number
  /** Memory that running jobs may need together, in bytes. An urgent job, and one that runs alone, is never held back. */
  readonly memoryBytesMax: number
  /** What this scheduler's place has, such as `gpu`. */
  readonly labels: readonly string[]
}

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

/** @throws {RangeError} naming the setting */
export function resolveQueueSettings(input: Partial<QueueSettings> = {}): QueueSettings {
  const settings = { ...QUEUE_DEFAULTS, ...input }
  checkCount('concurrency', settings.concurrency, 1, 1024)
  checkCount('urgentPlaces', settings.urgentPlaces, 0, 1024)
  checkCount('pendingMax', settings.pendingMax, 1, 1_000_000)
  checkCount('memoryBytesMax', settings.memoryBytesMax, 1, Number.MAX_SAFE_INTEGER)
  if (!Array.isArray(settings.labels) || !settings.labels.every((label) => typeof label === 'string')) {
    throw new TypeError('labels must be an array of strings')
  }
  return Object.freeze({ ...settings, labels: Object.freeze([...settings.labels]) })
}

/** @throws {RangeError} */
export function checkCount(name: string, value: number, min: number, max: number): void {
  if (!Number.isSafeInteger(value) || value < min || value > max)
    throw new RangeError(`${name} must be ${min}…${max}, got ${value}`)
}

/** @throws {RangeError} */
export function checkDurationMs(name: string, value: number): void {
  if (!(value >= 0 && value <= 3_600_000)) throw new RangeError(`${name} must be 0…3600000, got ${value}`)
}
