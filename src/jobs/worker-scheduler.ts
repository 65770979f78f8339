/**
 * Runs jobs on worker threads.
 *
 * Workers start when the first job comes (half as long again as a bare thread takes), stay, and do not keep the process alive while idle. They
 * compose themselves from plain data: a file store and a clock made by named functions, handlers found by their module.
 * A worker that dies fails its job and is replaced.
 */

import type { Clock } from '../kernel/clock.ts'
import { onlyGiven } from '../kernel/setting-check.ts'
import type { JobResult, JobSupport } from './jobs.ts'
import type { QueuedJob } from './queued-job.ts'
import { QueuedScheduler } from './queued-scheduler.ts'
import { availableCores, WorkerPool } from './worker-pool.ts'
import type { WorkerComposition } from './worker-protocol.ts'
import { resolveWorkerSettings, workerCount } from './worker-settings.ts'
import type { WorkerSettings } from './worker-settings.ts'

/** How workers compose themselves, and how many there are. */
export interface WorkerSchedulerOptions {
  /** Plain data: it goes to every worker as it starts. */
  readonly composition: WorkerComposition
  /** The scheduler's own; workers make theirs. */
  readonly clock: Clock
  /** `concurrency`: default `workerCount` of the machine's cores. */
  readonly settings?: Partial<WorkerSettings>
  /** Where the worker's entry is, for bundlers that move it; default: beside this package's code. */
  readonly workerUrl?: URL
}

/** Runs jobs on threads. `close` waits for them to end: `stopGraceMs` at most, where they are idle. */
export class WorkerScheduler extends QueuedScheduler {
  readonly name = 'worker'
  readonly supports: JobSupport = Object.freeze({ sharedMemory: true })
  readonly #pool: WorkerPool

  constructor(options: WorkerSchedulerOptions) {
    const cores = availableCores()
    const settings = resolveWorkerSettings({
      concurrency: workerCount(cores),
      ...onlyGiven(options.settings ?? {}),
    })
    super(settings)
    const { clock, workerUrl } = options
    this.#pool = new WorkerPool({
      // As threads get it, but now: they begin when there is something to do, and what was given may have changed by then.
      composition: structuredClone(options.composition),
      clock,
      settings,
      cores,
      ...(workerUrl === undefined ? {} : { workerUrl }),
    })
  }

  override async close(): Promise<void> {
    await super.close()
    await this.#pool.close()
  }

  protected override run(job: QueuedJob): Promise<JobResult> {
    return this.#pool.run(job.spec, job.urgent, job)
  }
}
