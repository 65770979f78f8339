/**
 * A job scheduler poorer than the local ones, as a remote one may be: no shared memory, every answer late, every job
 * that succeeded run once more afterwards, for nothing.
 */

import type { Clock } from '../kernel/clock.ts'
import { VarveError } from '../kernel/errors.ts'
import { DistantScheduler } from '../jobs/distant-scheduler.ts'
import type { JobHandle, JobResult, JobScheduler, JobSpec } from '../jobs/jobs.ts'
import type { QueuedJob } from '../jobs/queued-job.ts'
import type { SeededRandom } from './seeded-random.ts'

/** What it runs on, and how poor it is. */
export interface PoorJobSchedulerOptions {
  /** Runs the jobs, and decides how many at a time. Takes more than twice `pendingMax` jobs; closed with this one. */
  readonly inner: JobScheduler
  /** Only its turns are used. */
  readonly clock: Clock
  /** Jobs that have not settled; with as many, `submit` throws BUSY. */
  readonly pendingMax: number
  /** Turns of the event loop that an answer takes. */
  readonly delayTurns: number
  /** With it: up to so many turns, by chance, so that answers overtake each other. */
  readonly random?: SeededRandom
}

/** A scheduler over another, late and without shared memory. */
export class PoorJobScheduler extends DistantScheduler {
  readonly name = 'poor'
  readonly #inner: JobScheduler
  readonly #clock: Clock
  readonly #delayTurns: () => number
  readonly #inside = new WeakMap<JobSpec, JobHandle>()

  constructor(options: PoorJobSchedulerOptions) {
    // Everything is handed on at once, in order.
    super({ pendingMax: options.pendingMax })
    this.#inner = options.inner
    this.#clock = options.clock
    const { delayTurns, random } = options
    this.#delayTurns = () => random?.below(delayTurns + 1) ?? delayTurns
  }

  override submit(spec: JobSpec): JobHandle {
    const handle = super.submit(spec)
    return { ...handle, progress: () => Math.max(handle.progress(), this.#inside.get(spec)?.progress() ?? 0) }
  }

  override async close(): Promise<void> {
    await super.close()
    await this.#inner.close()
  }

  protected override async run(job: QueuedJob): Promise<JobResult> {
    const handle = this.#inner.submit(job.spec)
    this.#inside.set(job.spec, handle)
    job.signal.addEventListener('abort', () => handle.cancel(job.signal.reason), { once: true })
    try {
      const result = await handle.result
      // Nobody waits for the second run, and it may well find its outputs there already.
      this.#inner.submit(job.spec)
      return result
    } catch (error) {
      throw error instanceof VarveError && error.code === 'JOB_FAILED' ? error.cause : error
    } finally {
      for (let left = this.#delayTurns(); left > 0; left--) await this.#clock.turn()
    }
  }
}
