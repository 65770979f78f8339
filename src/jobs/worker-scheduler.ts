/**
 * Runs jobs on worker threads.
 *
 * Workers start when the first job comes (half as long again as a bare thread takes), stay, and do not keep the process alive while idle. They
 * compose themselves from plain data: a file store and a clock made by named functions, handlers found by their module.
 * A worker that dies fails its job and is replaced.
 */

import type { Clock } from '../kernel/clock.ts'
import { JobQueue } from './job-queue.ts'
import type { JobHandle, JobScheduler, JobSpec, JobSupport } from './jobs.ts'
import { availableCores, WorkerPool } from './worker-pool.ts'
import type { WorkerComposition } from './worker-protocol.ts'
import { resolveWorkerSettings, workerCount } from './worker-settings.ts'
import type { WorkerSettings } from './worker-settings.ts'

export interface WorkerSchedulerOptions {
  readonly composition: WorkerComposition
  /** The scheduler's own; workers make theirs. */
  readonly clock: Clock
  /** `concurrency`: default `workerCount` of the machine's cores. */
  readonly settings?: Partial<WorkerSettings>
  /** Where the worker's entry is, for bundlers that move it; default: beside this package's code. */
  readonly workerUrl?: URL
}

export class WorkerScheduler implements JobScheduler {
  readonly name = 'worker'
  readonly supports: JobSupport = Object.freeze({ sharedMemory: true })
  readonly #queue: JobQueue
  readonly #pool: WorkerPool

  constructor(options: WorkerSchedulerOptions) {
    const settings = resolveWorkerSettings({ concurrency: workerCount(availableCores()), ...options.settings })
    const { composition, clock, workerUrl } = options
    this.#pool = new WorkerPool({
      birth: { composition, progressIntervalMs: settings.progressIntervalMs, sliceMs: settings.sliceMs },
      clock,
      settings,
      ...(workerUrl === undefined ? {} : { workerUrl }),
    })
    this.#queue = new JobQueue(settings, (job) => this.#pool.run(job.spec, job))
  }

  submit(spec: JobSpec): JobHandle {
    return this.#queue.submit(spec)
  }

  get pending(): number {
    return this.#queue.pending
  }

  get pendingMax(): number {
    return this.#queue.pendingMax
  }

  ready(): Promise<void> {
    return this.#queue.ready()
  }

  async close(): Promise<void> {
    await this.#queue.close()
    await this.#pool.close()
  }
}
