/** A job scheduler that says how its jobs end: for a test that may be waiting for one that never succeeds. */

import type { JobHandle, JobScheduler, JobSpec, JobSupport } from '../jobs/jobs.ts'

export interface FailedJob {
  readonly spec: JobSpec
  readonly error: unknown
}

export class WatchedScheduler implements JobScheduler {
  readonly name: string
  readonly #inner: JobScheduler
  readonly #ended: (failed: FailedJob | undefined) => void

  /** @param ended hears of every job: undefined where it succeeded */
  constructor(inner: JobScheduler, ended: (failed: FailedJob | undefined) => void) {
    this.name = inner.name
    this.#inner = inner
    this.#ended = ended
  }

  get supports(): JobSupport {
    return this.#inner.supports
  }

  get pending(): number {
    return this.#inner.pending
  }

  get pendingMax(): number {
    return this.#inner.pendingMax
  }

  submit(spec: JobSpec): JobHandle {
    try {
      const handle = this.#inner.submit(spec)
      handle.result.then(
        () => this.#ended(undefined),
        (error: unknown) => this.#ended({ spec, error }),
      )
      return handle
    } catch (error) {
      this.#ended({ spec, error })
      throw error
    }
  }

  ready(): Promise<void> {
    return this.#inner.ready()
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
