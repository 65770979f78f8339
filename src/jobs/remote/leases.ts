/**
 * Which worker has which job, for how long, and whether its connection is there.
 *
 * A worker whose connection has gone may be back in a moment, and at work meanwhile: its lease goes on. Where nobody wants the
 * job any more, that it has stopped is all there is to wait for, and one that lives says so as soon as it is back.
 */

import type { Clock } from '../../kernel/clock.ts'
import { nonce } from '../../kernel/random.ts'
import type { Random } from '../../kernel/random.ts'
import { LeaseProgress } from '../lease-progress.ts'
import type { BrokeredJob, LeasedJob } from './brokered-job.ts'
import type { BrokerSettings } from './settings.ts'
import type { WorkerOffer } from './worker-settings.ts'

// A client whose connection is lost dials at once, and then every second.
const RETURN_MS = 2_000

export class Leases {
  readonly #clock: Clock
  readonly #random: Random
  readonly #settings: BrokerSettings
  readonly #expired: (job: BrokeredJob) => void
  readonly #jobs = new Map<string, BrokeredJob>()

  /** @param expired called where nobody has renewed a lease in time */
  constructor(clock: Clock, random: Random, settings: BrokerSettings, expired: (job: BrokeredJob) => void) {
    this.#clock = clock
    this.#random = random
    this.#settings = settings
    this.#expired = expired
  }

  /** The job of a lease that has not ended. */
  jobOf(lease: string): BrokeredJob | undefined {
    return this.#jobs.get(lease)
  }

  /** All that are worked on. */
  get jobs(): Iterable<BrokeredJob> {
    return this.#jobs.values()
  }

  give(job: BrokeredJob, offer: WorkerOffer): LeasedJob {
    const id = nonce(this.#random)
    const progress = new LeaseProgress(this.#clock, job.spec.stuckMs ?? this.#settings.stuckMs)
    job.lease = { id, offer, end: () => undefined, timer: undefined, progress, holders: new Set(), deserted: false }
    this.#jobs.set(id, job)
    this.extend(job)
    return { lease: id, leaseMs: this.#settings.leaseMs, spec: job.leasedSpec }
  }

  /** From now on. */
  extend(job: BrokeredJob): void {
    this.#endAfter(job, this.#settings.leaseMs)
  }

  /** Nothing is done with it any more. */
  forget(lease: string): void {
    this.#jobs.delete(lease)
  }

  clear(): void {
    this.#jobs.clear()
  }

  /** Its worker is at the other end of `connection`. */
  hold(lease: string, connection: object): void {
    const job = this.#jobs.get(lease)
    if (job?.lease === undefined) return
    job.lease.holders.add(connection)
    if (!job.lease.deserted) return
    job.lease.deserted = false
    this.extend(job)
  }

  /** A connection has gone, and with it, perhaps, a worker. */
  part(connection: object): void {
    for (const job of this.#jobs.values()) {
      const { lease } = job
      if (lease === undefined || !lease.holders.delete(connection) || lease.holders.size > 0) continue
      lease.deserted = true
      if (job.cancelled) this.stop(job)
    }
  }

  /** Nobody wants the job any more: its worker is told. */
  stop(job: BrokeredJob): void {
    job.lease?.end()
    if (job.lease?.deserted === true) this.#endAfter(job, Math.min(RETURN_MS, this.#settings.leaseMs))
  }

  #endAfter(job: BrokeredJob, ms: number): void {
    const { lease } = job
    if (lease === undefined) return
    lease.timer?.cancel()
    lease.timer = this.#clock.after(ms, () => this.#expired(job))
  }
}
