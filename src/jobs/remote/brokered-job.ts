/** One job at a broker, from `submit` to its outcome: waiting, leased to a worker, settled. */

import type { Timer } from '../../kernel/clock.ts'
import type { JobResult, JobSpec } from '../jobs.ts'
import type { LeaseProgress } from '../lease-progress.ts'
import type { WorkerOffer } from './worker-settings.ts'

/** What becomes of a job at a broker. */
export type JobOutcome =
  /** A worker has run it. */
  | { readonly type: 'done'; readonly result: JobResult }
  /** What the handler, or the broker, has to say. */
  | { readonly type: 'failed'; readonly error: unknown }
  /** No worker asked for it, or nobody waited for it any more. */
  | { readonly type: 'not-begun' }

/** One worker's right to one job, for as long as it is renewed. */
export interface Lease {
  /** Which the worker names in every call; nobody else knows it. */
  readonly id: string
  /** Of the place that has it. */
  readonly offer: WorkerOffer
  /** Says so to the worker. Called once. */
  end: () => void
  /** Ends the lease, where nobody renews it before. */
  timer: Timer | undefined
  /** How far the worker has come, and since when no further. */
  readonly progress: LeaseProgress
  /** Connections on which the worker has spoken of it. */
  readonly holders: Set<object>
  /** There were some, and all of them have gone. */
  deserted: boolean
}

/** What a worker gets. */
export interface LeasedJob {
  /** To be named when it is renewed and when it has ended. */
  readonly lease: string
  /** How long the worker may be silent, in milliseconds. */
  readonly leaseMs: number
  /** What is to run; its output prefix is of this try alone. */
  readonly spec: JobSpec
}

/** A job as a broker keeps it. The broker changes it; others read. */
export class BrokeredJob {
  /** Under which it was submitted: the same key, the same job. */
  readonly key: string
  /** Whose turn it takes. */
  readonly shard: string
  /** As it was submitted. */
  readonly spec: JobSpec
  /** Counts up where a broker that does not know it any more is given it again. */
  readonly submission: number
  /** Resolves once, when it has settled. */
  readonly outcome: Promise<JobOutcome>
  readonly #settle: (outcome: JobOutcome) => void
  /** Place in the line: a job whose worker has gone takes its former place. */
  readonly order: number
  /** How often it was given to a worker. */
  tries = 0
  /** Undefined: nobody has it now. */
  lease: Lease | undefined
  /** What becomes of it whatever its worker says: nobody wants its answer any more. */
  ending: JobOutcome | undefined
  /** `outcome` has resolved. */
  settled = false
  /** Ends it where nobody has begun it. */
  timer: Timer | undefined
  /** Connections on which somebody waits for it. */
  readonly waiters = new Set<object>()
  /** Ends it where nobody waits for it any more. */
  orphaned: Timer | undefined
  #progress = 0

  /**
   * @param order place in the line, ascending
   * @param submission see there
   */
  constructor(key: string, shard: string, spec: JobSpec, order: number, submission = 0) {
    this.key = key
    this.shard = shard
    this.spec = spec
    this.order = order
    this.submission = submission
    let resolve: ((outcome: JobOutcome) => void) | undefined
    this.outcome = new Promise((accept) => (resolve = accept))
    this.#settle = (outcome) => resolve?.(outcome)
  }

  /** Of priority 0 and below. */
  get urgent(): boolean {
    return this.spec.priority <= 0
  }

  /** Nobody wants its answer any more. */
  get cancelled(): boolean {
    return this.ending !== undefined
  }

  /** 0 … 1, the furthest that any worker has said. */
  get progress(): number {
    return this.#progress
  }

  /** Goes on to `fraction`, never back. */
  advance(fraction: number): void {
    if (fraction > this.#progress) this.#progress = Math.min(fraction, 1)
  }

  /**
   * For a worker: outputs of every try have names of their own, so that one that comes late is in nobody's way. A broker
   * that was started anew does not know what its former self had begun: hence the submission.
   */
  get leasedSpec(): JobSpec {
    const { spec, submission, tries } = this
    const outputPrefix = `${spec.outputPrefix}${submission === 0 ? '' : `r${submission}-`}${tries === 1 ? '' : `t${tries}-`}`
    return { ...spec, outputPrefix }
  }

  /** Ends it, with its lease and its timers. At most once. */
  settle(outcome: JobOutcome): void {
    this.settled = true
    this.timer?.cancel()
    this.orphaned?.cancel()
    this.lease?.timer?.cancel()
    this.lease?.end()
    this.lease = undefined
    this.#settle(outcome)
  }
}
