/** How many workers, and how patient their scheduler is. */

import { DURATION_MS, checkInteger, checkNumber, overDefaults } from '../kernel/setting-check.ts'
import { QUEUE_DEFAULTS, checkedQueueSettings } from './queue-settings.ts'
import type { QueueSettings } from './queue-settings.ts'

/** `concurrency` is how many workers run a job at a time, one each. Urgent jobs and ordinary ones have workers of their own. */
export interface WorkerSettings extends QueueSettings {
  /**
   * How far workers of ordinary jobs stand back where threads outnumber cores, as `nice` counts. Linux only; elsewhere
   * priorities belong to processes. Besides, they stand still while urgent jobs run (precedence.ts). 0: neither.
   * Range: 0 … 19.
   */
  readonly ordinaryNice: number
  /** How long a worker computes before it looks for a cancellation, in milliseconds. Range: 0 … 3,600,000. */
  readonly sliceMs: number
  /**
   * How long a cancelled job may take to notice before its worker is terminated, in milliseconds. Range: 0 … 3,600,000.
   */
  readonly cancelGraceMs: number
  /**
   * How long an idle worker may take to close its files before it is terminated, in milliseconds. Range: 0 … 3,600,000.
   */
  readonly stopGraceMs: number
  /**
   * How long a worker may have nothing to do before it ends, in milliseconds. The next job starts another.
   * Range: 0 … 3,600,000.
   */
  readonly idleMs: number
  /** Least time between two reports of progress, in milliseconds. Range: 0 … 3,600,000. */
  readonly progressIntervalMs: number
  /**
   * Wait before the third worker in a row that dies without an answer is replaced, in milliseconds; doubles each time.
   * Range: 0 … 3,600,000.
   */
  readonly restartDelayMs: number
  /** And never longer than so, in milliseconds. Range: 0 … 3,600,000. */
  readonly restartDelayMsMax: number
}

/** What is not said. */
export const WORKER_DEFAULTS: WorkerSettings = Object.freeze({
  // One for compactions and one for flushes, even on one core: threads share it better than jobs share a thread.
  ...QUEUE_DEFAULTS,
  // A merge has seconds of work; the program's thread and the flush that writes wait for have none to give away. 80,000
  // puts a second, issued by the clock on two cores: 99.9 of 100 took 17 to 100 ms in place of 130 to 450; filling was a tenth faster.
  ordinaryNice: 5,
  // Nobody waits for this loop but a cancellation.
  sliceMs: 20,
  // A handler pauses every few milliseconds, and a slow disk answers within seconds.
  cancelGraceMs: 5_000,
  stopGraceMs: 1_000,
  // Between two flushes of a busy shard workers stay; a program with hundreds of shards, most of them idle, does not keep
  // some 10 MiB for each. Starting one anew takes 25 ms, a 400th of this.
  idleMs: 10_000,
  // Faster than a person reads.
  progressIntervalMs: 100,
  restartDelayMs: 100,
  restartDelayMsMax: 10_000,
})

// Above four, one shard seldom has as many jobs, and each worker takes about 9 MiB.
const WORKER_COUNT_MAX = 4

/** Workers worth having. @param cores that this process may use */
export function workerCount(cores: number): number {
  return Math.min(WORKER_COUNT_MAX, Math.max(WORKER_DEFAULTS.concurrency, cores))
}

const DURATIONS = [
  'sliceMs',
  'cancelGraceMs',
  'stopGraceMs',
  'idleMs',
  'progressIntervalMs',
  'restartDelayMs',
  'restartDelayMsMax',
] as const

/** @throws {TypeError | RangeError} naming the setting */
export function resolveWorkerSettings(input: Partial<WorkerSettings> = {}): WorkerSettings {
  const settings = checkedQueueSettings(overDefaults(WORKER_DEFAULTS, input))
  checkInteger('ordinaryNice', settings.ordinaryNice, [0, 19])
  for (const name of DURATIONS) checkNumber(name, settings[name], DURATION_MS)
  return Object.freeze(settings)
}
