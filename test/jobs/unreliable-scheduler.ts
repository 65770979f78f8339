/** A scheduler that runs each job three times at once, forgets the answers of some that go on, and fails others for ever. */

import { VarveError } from '../../src/kernel/errors.ts'
import type { JobHandle, JobResult, JobScheduler, JobSpec, JobSupport } from '../../src/jobs/jobs.ts'

export type JobFate = 'three times' | 'zombie' | 'poisoned'

export class UnreliableScheduler implements JobScheduler {
  readonly name = 'unreliable'
  readonly supports: JobSupport
  readonly #inner: JobScheduler
  readonly #fateOf: (spec: JobSpec) => JobFate
  readonly #zombies = new Set<Promise<unknown>>()

  constructor(inner: JobScheduler, fateOf: (spec: JobSpec) => JobFate) {
    this.#inner = inner
    this.supports = inner.supports
    this.#fateOf = fateOf
  }

  submit(spec: JobSpec): JobHandle {
    const fate = this.#fateOf(spec)
    const failed = new VarveError('JOB_FAILED', 'nobody heard of it again', {
      details: { job: spec.id, attempt: spec.attempt },
    })
    const runs = fate === 'poisoned' ? [] : Array.from({ length: 3 }, () => this.#inner.submit(spec))
    for (const { result } of runs) this.#goesOn(result)
    const any = Promise.any(runs.map(({ result }) => result))
    const result: Promise<JobResult> =
      fate === 'three times' ? any.catch(() => Promise.reject(failed)) : Promise.reject(failed)
    result.catch(() => undefined)
    any.catch(() => undefined)
    // A zombie hears of nothing, either.
    const cancel = (reason?: unknown): void => {
      if (fate === 'three times') for (const run of runs) run.cancel(reason)
    }
    return { id: spec.id, result, progress: () => 0, cancel }
  }

  /** Resolves when nothing runs behind anybody's back. */
  async idle(): Promise<void> {
    await Promise.all(this.#zombies)
  }

  get pending(): number {
    return this.#inner.pending
  }

  get pendingMax(): number {
    return this.#inner.pendingMax
  }

  ready(): Promise<void> {
    return this.#inner.ready()
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #goesOn(result: Promise<unknown>): void {
    const zombie = result.catch(() => undefined)
    this.#zombies.add(zombie)
    void zombie.then(() => this.#zombies.delete(zombie))
  }
}
