/** A job scheduler that runs every job, and of some of them says that they failed: their answer was lost on the way. */

import { VarveError } from '../kernel/errors.ts'
import type { JobHandle, JobScheduler, JobSpec, JobSupport } from '../jobs/jobs.ts'

/** A scheduler over another, whose answers may get lost. */
export class ForgetfulScheduler implements JobScheduler {
  readonly name = 'forgetful'
  readonly #inner: JobScheduler
  /** Asked for every job. */
  readonly #forgets: () => boolean

  /**
   * @param inner closed with this one
   * @param forgets asked for every job that is submitted: whether its answer will be lost
   */
  constructor(inner: JobScheduler, forgets: () => boolean) {
    this.#inner = inner
    this.#forgets = forgets
  }

  get supports(): JobSupport {
    return this.#inner.supports
  }

  get pending(): number {
    return this.#inner.pending
  }

  /** As that of the scheduler below. */
  get pendingMax(): number {
    return this.#inner.pendingMax
  }

  submit(spec: JobSpec): JobHandle {
    const handle = this.#inner.submit(spec)
    if (!this.#forgets()) return handle
    const result = handle.result.then(() => {
      throw new VarveError('JOB_FAILED', 'the answer was lost', { details: { job: spec.id, attempt: spec.attempt } })
    })
    result.catch(() => undefined)
    return { ...handle, result }
  }

  ready(): Promise<void> {
    return this.#inner.ready()
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
