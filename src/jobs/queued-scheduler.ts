/** A job scheduler over a queue of its own: what each adds is how one job is run. */

import { JobQueue } from './job-queue.ts'
import type { JobHandle, JobResult, JobScheduler, JobSpec, JobSupport } from './jobs.ts'
import type { QueuedJob } from './queued-job.ts'
import type { QueueSettings } from './queue-settings.ts'

export abstract class QueuedScheduler implements JobScheduler {
  abstract readonly name: string
  abstract readonly supports: JobSupport
  readonly #queue: JobQueue

  constructor(settings: QueueSettings) {
    this.#queue = new JobQueue(settings, (job) => this.run(job))
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

  close(): Promise<void> {
    return this.#queue.close()
  }

  /** Sees to it that `job` is run, and gives its result. Rejects as a job does, or with the signal's reason. */
  protected abstract run(job: QueuedJob): Promise<JobResult>
}
