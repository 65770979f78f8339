/** What a worker has room for, wherever its jobs come from. */

import { GIB } from '../../kernel/limits.ts'
import { checkInteger, overDefaults } from '../../kernel/setting-check.ts'
import { checkedLabels } from '../queue-settings.ts'

/** Defaults and their reasons: `JOB_WORKER_DEFAULTS`. */
export interface JobWorkerSettings {
  /** Jobs at a time. The scheduler must have so many places, for whatever comes. Range: 1 … 1,024. */
  readonly places: number
  /** Of these, how many take urgent jobs only. One place is always for all. Range: 0 … 1,024. */
  readonly urgentPlaces: number
  /** What one job may need, in bytes. Range: 0 B or more. */
  readonly memoryBytes: number
  /** What this machine has, such as `gpu`. The scheduler must have them, too (`QueueSettings.labels`). */
  readonly labels: readonly string[]
}

/** What one place of a worker has room for. */
export interface WorkerOffer {
  /** Takes jobs of priority 0 and below only. */
  readonly urgentOnly: boolean
  /** What a job may need there, in bytes. */
  readonly memoryBytes: number
  /** What the place has, such as `gpu`. */
  readonly labels: readonly string[]
  /** Whose jobs, and over whose files, it may do. Default: all. */
  readonly shards?: readonly string[] | undefined
}

/** What is not said. */
export const JOB_WORKER_DEFAULTS: JobWorkerSettings = Object.freeze({
  places: 2,
  // A compaction lasts seconds, and a verification that a shard waits for should not wait for it.
  urgentPlaces: 1,
  memoryBytes: 1 * GIB,
  labels: Object.freeze([]),
})

/** @throws {TypeError | RangeError} naming the setting */
export function resolveJobWorkerSettings(input: Partial<JobWorkerSettings> = {}): JobWorkerSettings {
  const settings = overDefaults(JOB_WORKER_DEFAULTS, input)
  checkInteger('places', settings.places, [1, 1024])
  checkInteger('urgentPlaces', settings.urgentPlaces, [0, 1024])
  checkInteger('memoryBytes', settings.memoryBytes, [0, Number.MAX_SAFE_INTEGER])
  return Object.freeze({ ...settings, labels: checkedLabels(settings.labels) })
}
