/**
 * Jobs of many shards, and workers that ask for them.
 *
 *      shards ──submit──► waiting ──pull──► leased ──done──► answered
 *                            ▲                 │
 *                            └── lease ended ──┘  up to triesMax times
 *
 * Workers pull what they have room for: nobody has to know how busy they are. Urgent jobs go first; then the shard of
 * which the fewest jobs are running, and of those the one that has waited longest for its turn; within a shard the order
 * of priority, then of submission. A lease that is not renewed ends, and the job is given to another worker; what the
 * former one answers then is not listened to.
 */

import type { Clock } from '../../kernel/clock.ts'
import { VarveError, isCode } from '../../kernel/errors.ts'
import type { Random } from '../../kernel/random.ts'
import type { JobResult, JobSpec } from '../jobs.ts'
import { BrokeredJob } from './brokered-job.ts'
import type { JobOutcome, LeasedJob } from './brokered-job.ts'
import { chooseJob, fits } from './job-choice.ts'
import type { WorkerOffer } from './worker-settings.ts'
import { Leases } from './leases.ts'
import { Quarantine } from './quarantine.ts'
import { RecentOffers } from './recent-offers.ts'
import { resolveBrokerSettings } from './settings.ts'
import type { BrokerSettings } from './settings.ts'

/** What a broker is made of. */
export interface JobBrokerOptions {
  /** Measures leases and patience. */
  readonly clock: Clock
  /** Makes names of leases. */
  readonly random: Random
  /** Default, each: that of `BROKER_DEFAULTS`. */
  readonly settings?: Partial<BrokerSettings>
}

interface WaitingWorker {
  readonly offer: WorkerOffer
  /** Undefined: there will be none. */
  readonly take: (job: LeasedJob | undefined) => void
}

// Of all shards together: a waiting spec takes some kilobytes.
const PENDING_MAX = 10_000

/** Everything it knows is in memory: a broker that is started anew knows no job, and is given them again. */
export class JobBroker {
  readonly #clock: Clock
  readonly #settings: BrokerSettings
  readonly #quarantine: Quarantine
  readonly #offers: RecentOffers
  readonly #jobs = new Map<string, BrokeredJob>()
  /** Kept for a while, because answers get lost. */
  readonly #settled = new Map<string, BrokeredJob>()
  /** In order of submission. */
  readonly #waiting = new Set<BrokeredJob>()
  readonly #leases: Leases
  readonly #workers = new Set<WaitingWorker>()
  /** When a shard last got a worker: counts up. */
  readonly #turns = new Map<string, number>()
  #turn = 0
  #orderNext = 1
  #closed = false

  constructor({ clock, random, settings }: JobBrokerOptions) {
    this.#clock = clock
    this.#settings = resolveBrokerSettings(settings)
    this.#quarantine = new Quarantine(clock, this.#settings)
    this.#offers = new RecentOffers(clock, this.#settings.startMs)
    this.#leases = new Leases(clock, random, this.#settings, (job) => this.#expire(job))
  }

  /** Jobs that have not settled. */
  get pending(): number {
    return this.#jobs.size
  }

  /**
   * Takes a job, or finds it where it was submitted before under this key.
   *
   * @param submission how often it was submitted before, here or to a broker that has gone
   * @param waiter who waits for it, until `leave`
   * @throws {VarveError} BUSY; JOB_FAILED — the same work has failed too often, and is not taken for a while
   */
  submit(key: string, shard: string, spec: JobSpec, waiter: object, submission = 0): BrokeredJob {
    const there = this.find(key)
    if (there !== undefined) {
      there.orphaned?.cancel()
      there.waiters.add(waiter)
      return there
    }
    if (this.#jobs.size >= PENDING_MAX) {
      throw new VarveError('BUSY', `${this.#jobs.size} jobs are pending`, {
        details: { pending: this.#jobs.size, limit: PENDING_MAX },
      })
    }
    const quarantinedMs = Math.ceil(this.#quarantine.remainingMs(spec))
    if (quarantinedMs > 0) {
      throw new VarveError(
        'JOB_FAILED',
        `the work of job ${spec.id} has failed too often: not for ${quarantinedMs} ms`,
        {
          details: { job: spec.id, attempt: spec.attempt, quarantinedMs },
        },
      )
    }
    const job = new BrokeredJob(key, shard, spec, this.#orderNext++, submission)
    job.waiters.add(waiter)
    this.#jobs.set(key, job)
    this.#enqueue(job)
    return job
  }

  /** The job of that key: one that has not settled, or has not long ago. */
  find(key: string): BrokeredJob | undefined {
    return this.#jobs.get(key) ?? this.#settled.get(key)
  }

  /**
   * A job that waits ends at once; one that is worked on when its worker has heard of it, or its lease has ended: within two
   * seconds where the worker's connection has gone and does not come back.
   */
  cancel(key: string): void {
    const job = this.#jobs.get(key)
    if (job !== undefined) this.#end(job, { type: 'failed', error: cancelled(job.spec) })
  }

  /** One who waited for it has gone. Where nobody else does, nobody may want it. */
  leave(key: string, waiter: object): void {
    const job = this.#jobs.get(key)
    if (job === undefined || !job.waiters.delete(waiter) || job.waiters.size > 0) return
    // Who comes back later is not told of a cancellation: that is not theirs.
    job.orphaned = this.#clock.after(this.#settings.orphanMs, () => this.#end(job, { type: 'not-begun' }))
  }

  /** Resolves when there is a job for the worker; undefined: it has gone before. */
  pull(offer: WorkerOffer, signal: AbortSignal): Promise<LeasedJob | undefined> {
    if (signal.aborted || this.#closed) return Promise.resolve(undefined)
    this.#offers.see(offer)
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#workers.delete(worker)
        resolve(undefined)
      }
      const worker: WaitingWorker = {
        offer,
        take: (job) => {
          signal.removeEventListener('abort', leave)
          this.#workers.delete(worker)
          resolve(job)
        },
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#workers.add(worker)
      this.#match()
    })
  }

  /** The worker is still at it. False: not any more for us, or it is stuck. */
  renew(lease: string, progress: number): boolean {
    const job = this.#leases.jobOf(lease)
    if (job?.lease === undefined) return false
    job.advance(progress)
    if (!job.lease.progress.reach(progress)) {
      this.#expire(job)
      return false
    }
    this.#leases.extend(job)
    return true
  }

  /** The worker that has `lease` is at the other end of `connection`, as whoever asks for the job will hear. */
  hold(lease: string, connection: object): void {
    this.#leases.hold(lease, connection)
  }

  /** A connection of workers has gone. */
  part(connection: object): void {
    this.#leases.part(connection)
  }

  /** Resolves when the worker should stop: its job was cancelled, or is not its own any more. */
  watch(lease: string): Promise<void> {
    const job = this.#leases.jobOf(lease)
    if (job?.lease === undefined || job.cancelled) return Promise.resolve()
    const { lease: held } = job
    return new Promise((resolve) => {
      const end = held.end
      held.end = () => {
        end()
        resolve()
      }
    })
  }

  /** What became of it. Not listened to where the lease has ended. */
  finish(lease: string, outcome: { readonly result: JobResult } | { readonly error: unknown }): void {
    const job = this.#leases.jobOf(lease)
    if (job === undefined) return
    this.#leases.forget(lease)
    if (job.lease !== undefined) this.#offers.see(job.lease.offer)
    if (job.ending !== undefined) {
      this.#settle(job, job.ending)
    } else if ('result' in outcome) {
      this.#quarantine.succeeded(job.spec)
      this.#settle(job, { type: 'done', result: outcome.result })
    } else {
      // That a worker is of another version says nothing about the work.
      if (!isCode(outcome.error, 'INCOMPATIBLE')) this.#quarantine.failed(job.spec)
      this.#settle(job, { type: 'failed', error: outcome.error })
    }
    this.#match()
  }

  /** Ends everything: jobs that have not settled are given back, workers get none. */
  close(): void {
    this.#closed = true
    for (const worker of this.#workers) worker.take(undefined)
    for (const job of this.#jobs.values()) this.#settle(job, { type: 'not-begun' })
    this.#leases.clear()
    this.#waiting.clear()
  }

  #enqueue(job: BrokeredJob): void {
    this.#waiting.add(job)
    this.#awaitWorker(job)
    this.#match()
  }

  /** Given up where nobody asks for it: its shard can do it itself. */
  #awaitWorker(job: BrokeredJob, patienceMs = this.#settings.startMs): void {
    job.timer?.cancel()
    job.timer = this.#clock.after(patienceMs, () => {
      if (!this.#waiting.has(job)) return
      const moreMs = this.#awaitedMs(job)
      if (moreMs > 0) this.#awaitWorker(job, moreMs)
      else this.#settle(job, { type: 'not-begun' })
    })
  }

  /** How long to wait on, because somebody is at work who could take it afterwards, or was a moment ago. */
  #awaitedMs(job: BrokeredJob): number {
    for (const { lease } of this.#leases.jobs)
      if (lease !== undefined && fits(job, lease.offer)) return this.#settings.startMs
    return this.#offers.remainingMs(job)
  }

  #match(): void {
    for (const worker of this.#workers) {
      const job = chooseJob(this.#waiting, worker.offer, this.#leases.jobs, this.#turns)
      if (job !== undefined) worker.take(this.#lease(job, worker.offer))
    }
  }

  #lease(job: BrokeredJob, offer: WorkerOffer): LeasedJob {
    this.#waiting.delete(job)
    job.timer?.cancel()
    job.tries++
    this.#turns.set(job.shard, ++this.#turn)
    return this.#leases.give(job, offer)
  }

  #end(job: BrokeredJob, ending: JobOutcome): void {
    job.ending ??= ending
    if (job.lease === undefined) this.#settle(job, job.ending)
    else this.#leases.stop(job)
  }

  #expire(job: BrokeredJob): void {
    const { lease, spec, tries, ending } = job
    if (lease === undefined) return
    this.#leases.forget(lease.id)
    job.lease = undefined
    lease.end()
    if (ending !== undefined) {
      this.#settle(job, ending)
    } else if (tries < this.#settings.triesMax) {
      this.#enqueue(job)
    } else {
      this.#quarantine.failed(spec)
      const error = new Error(`${tries} workers have fallen silent over it, or come no further`)
      this.#settle(job, { type: 'failed', error })
    }
    this.#match()
  }

  #settle(job: BrokeredJob, outcome: JobOutcome): void {
    this.#waiting.delete(job)
    this.#jobs.delete(job.key)
    if (job.settled) return
    job.settle(outcome)
    this.#settled.set(job.key, job)
    this.#clock.after(this.#settings.orphanMs, () => this.#settled.delete(job.key))
  }
}

function cancelled(spec: JobSpec): VarveError {
  return new VarveError('ABORTED', `job ${spec.id} was cancelled`, { details: { job: spec.id, attempt: spec.attempt } })
}
