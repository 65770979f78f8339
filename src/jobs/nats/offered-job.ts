/** One job in a work queue, as its scheduler knows it: waiting, leased to a worker, settled. */

import type { Clock, Timer } from '../../kernel/clock.ts'
import { decodeError } from '../../kernel/error-wire.ts'
import type { JobResult } from '../jobs.ts'
import type { QueuedJob } from '../queued-job.ts'
import { decodeResult } from '../wire/job-wire.ts'
import type { BrokerSettings } from '../remote/settings.ts'
import { LeaseProgress } from '../lease-progress.ts'
import type { SchedulerMail, WorkerMail } from './job-mail.ts'

export type OfferOutcome =
  | { readonly type: 'done'; readonly result: JobResult }
  | { readonly type: 'failed'; readonly error: unknown }
  /** Workers have fallen silent over it, so often that no other gets it. */
  | { readonly type: 'given-up'; readonly tries: number }
  /** Nobody has come for it. */
  | { readonly type: 'not-begun' }

interface Lease {
  readonly id: string
  /** Where its worker listens. */
  readonly control: string
  readonly progress: LeaseProgress
}

export class OfferedJob {
  readonly outcome: Promise<OfferOutcome>
  readonly #job: QueuedJob
  readonly #clock: Clock
  readonly #settings: BrokerSettings
  readonly #leaseId: () => string
  readonly #isAwaited: () => Promise<boolean>
  #settle: ((outcome: OfferOutcome) => void) | undefined
  #timer: Timer | undefined
  #lease: Lease | undefined
  #tries = 0

  /** @param isAwaited whether the job is still in the queue, and some worker that could take it afterwards has others now */
  constructor(
    job: QueuedJob,
    clock: Clock,
    settings: BrokerSettings,
    leaseId: () => string,
    isAwaited: () => Promise<boolean>,
  ) {
    this.#job = job
    this.#clock = clock
    this.#settings = settings
    this.#leaseId = leaseId
    this.#isAwaited = isAwaited
    this.outcome = new Promise((resolve) => (this.#settle = resolve))
    this.#awaitWorker()
  }

  /** Where the worker listens that has it; undefined: nobody has. */
  get control(): string | undefined {
    return this.#lease?.control
  }

  /** Nobody has begun it, and nobody will. */
  withdraw(): void {
    this.#end({ type: 'not-begun' })
  }

  hear(mail: WorkerMail): SchedulerMail {
    if (this.#settle === undefined) return { type: 'no' }
    if (mail.type === 'begin') return this.#begin(mail.control)
    if (mail.lease !== this.#lease?.id) return { type: 'no' }
    if (mail.type === 'renew') {
      this.#job.onProgress(mail.fraction)
      if (!this.#lease.progress.reach(mail.fraction)) {
        this.#timer?.cancel()
        this.#expire()
        return { type: 'no' }
      }
      this.#expireLater()
      return { type: this.#job.signal.aborted ? 'no' : 'yes' }
    }
    this.#end(mail.type === 'done' ? outcomeOf(mail.result) : { type: 'failed', error: decodeError(mail.error) })
    return { type: 'yes' }
  }

  #begin(control: string): SchedulerMail {
    if (this.#job.signal.aborted) return { type: 'no' }
    if (this.#lease !== undefined) return { type: 'later' }
    this.#tries++
    const progress = new LeaseProgress(this.#clock, this.#job.spec.stuckMs ?? this.#settings.stuckMs)
    this.#lease = { id: this.#leaseId(), control, progress }
    this.#expireLater()
    // Outputs of every try have names of their own, so that one that comes late is in nobody's way.
    return { type: 'run', lease: this.#lease.id, suffix: this.#tries === 1 ? '' : `t${this.#tries}-` }
  }

  #expireLater(): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(this.#settings.leaseMs, () => this.#expire())
  }

  #expire(): void {
    this.#lease = undefined
    if (this.#job.signal.aborted || this.#tries >= this.#settings.triesMax)
      this.#end({ type: 'given-up', tries: this.#tries })
    else this.#awaitWorker()
  }

  /** The queue gives it to another when its own lease ends, which may be as much later. */
  #awaitWorker(): void {
    const { startMs, leaseMs } = this.#settings
    this.#timer = this.#clock.after(this.#tries === 0 ? startMs : startMs + leaseMs, () => void this.#waitOn())
  }

  async #waitOn(): Promise<void> {
    const waitsOn = await this.#isAwaited()
    // Meanwhile it may have been begun, or have ended.
    if (this.#lease !== undefined || this.#settle === undefined) return
    if (waitsOn) this.#awaitWorker()
    else this.withdraw()
  }

  #end(outcome: OfferOutcome): void {
    this.#timer?.cancel()
    this.#settle?.(outcome)
    this.#settle = undefined
  }
}

function outcomeOf(result: Uint8Array): OfferOutcome {
  try {
    return { type: 'done', result: decodeResult(result) }
  } catch (error) {
    return { type: 'failed', error }
  }
}
