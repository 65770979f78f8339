/**
 * What workers have asked for, under names of their own: a worker that was given a job and has not heard of it, because its
 * connection was lost, asks again and is given the same one.
 */

import type { JobBroker } from './job-broker.ts'
import type { LeasedJob } from './brokered-job.ts'
import type { WorkerOffer } from './worker-settings.ts'

export class WorkerPulls {
  readonly #broker: JobBroker
  /** Until their leases end. */
  readonly #given = new Map<string, LeasedJob>()
  readonly #waiting = new Map<string, AbortController>()

  constructor(broker: JobBroker) {
    this.#broker = broker
  }

  /**
   * As `JobBroker.pull`.
   *
   * @param key the same where the worker asks again; then nobody listens to the former answer
   */
  async pull(key: string, offer: WorkerOffer, signal: AbortSignal): Promise<LeasedJob | undefined> {
    const given = this.#given.get(key)
    if (given !== undefined) return given
    this.#waiting.get(key)?.abort()
    const waiting = new AbortController()
    const leave = (): void => waiting.abort()
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave, { once: true })
    this.#waiting.set(key, waiting)
    try {
      const job = await this.#broker.pull(offer, waiting.signal)
      if (job !== undefined) this.#give(key, job)
      return job
    } finally {
      signal.removeEventListener('abort', leave)
      if (this.#waiting.get(key) === waiting) this.#waiting.delete(key)
    }
  }

  #give(key: string, job: LeasedJob): void {
    this.#given.set(key, job)
    void this.#broker.watch(job.lease).then(() => this.#given.delete(key))
  }
}
