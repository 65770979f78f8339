/** One job at a broker, from `submit` to its outcome: waiting, leased to a worker, settled. */

import type { Timer } from '../../kernel/clock.ts'
import type { JobResult, JobSpec } from '../jobs.ts'
import type { LeaseProgress } from '../lease-progress.ts'
import type { WorkerOffer } from './worker-settings.ts'

export type JobOutcome =
  | { readonly type: 'done'; readonly result: JobResult }
  /** What the handler, or the broker, has to say. */
  | { readonly type: 'failed'; readonly error: unknown }
  /** Nobody asked for it: it has not begun. */
  | { readonly type: 'not-begun' }

export interface Lease {
  readonly id: string
  /** Of the place that has it. */
  readonly offer: WorkerOffer
  /** Says so to the worker. Called once. */
  end: () => void
  timer: Timer | undefined
  readonly progress: LeaseProgress
}

export class BrokeredJob {
  readonly key: string
  readonly shard: string
  readonly spec: JobSpec
  /** Counts up where a broker that does not know it any more is given it again. */
  readonly submission: number
  readonly outcome: Promise<JobOutcome>
  readonly #settle: (outcome: JobOutcome) => void
  /** Place in the line: a job whose worker has gone takes its former place. */
  readonly order: number
  /** How often it was given to a worker. */
  tries = 0
  lease: Lease | undefined
  cancelled = false
  settled = false
  /** Ends it where nobody has begun it. */
  timer: Timer | undefined
  /** Connections on which somebody waits for it. */
  readonly waiters = new Set<object>()
  /** Ends it where nobody waits for it any more. */
  orphaned: Timer | undefined
  #progress = 0

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

  get urgent(): boolean {
    return this.spec.priority <= 0
  }

  get progress(): number {
    return this.#progress
  }

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
