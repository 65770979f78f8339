/** What a worker has room for, wherever its jobs come from. */

import { GIB } from '../../kernel/limits.ts'
import { checkCount } from '../queue-settings.ts'

export interface JobWorkerSettings {
  /** Jobs at a time. The scheduler must have so many places, for whatever comes. */
  readonly places: number
  /** Of these, how many take urgent jobs only. One place is always for all. */
  readonly urgentPlaces: number
  /** What one job may need, in bytes. */
  readonly memoryBytes: number
  /** What this machine has, such as `gpu`. The scheduler must have them, too (`QueueSettings.labels`). */
  readonly labels: readonly string[]
}

/** What one place of a worker has room for. */
export interface WorkerOffer {
  /** Takes jobs of priority 0 and below only. */
  readonly urgentOnly: boolean
  readonly memoryBytes: number
  readonly labels: readonly string[]
}

export const JOB_WORKER_DEFAULTS: JobWorkerSettings = Object.freeze({
  places: 2,
  // A compaction lasts seconds, and a verification that a shard waits for should not wait for it.
  urgentPlaces: 1,
  memoryBytes: 1 * GIB,
  labels: Object.freeze([]),
})

/** @throws {RangeError | TypeError} naming the setting */
export function resolveJobWorkerSettings(input: Partial<JobWorkerSettings> = {}): JobWorkerSettings {
  const { places, urgentPlaces, memoryBytes, labels } = { ...JOB_WORKER_DEFAULTS, ...input }
  checkCount('places', places, 1, 1024)
  checkCount('urgentPlaces', urgentPlaces, 0, 1024)
  checkCount('memoryBytes', memoryBytes, 0, Number.MAX_SAFE_INTEGER)
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === 'string'))
    throw new TypeError('labels must be an array of strings')
  return Object.freeze({ places, urgentPlaces, memoryBytes, labels: Object.freeze([...labels]) })
}
