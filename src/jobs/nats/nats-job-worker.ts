/**
 * A worker: pulls jobs from a work queue of NATS JetStream, as many at a time as it has places, and runs them on a
 * scheduler of its own, whose handler table is the list of what is allowed.
 *
 * It begins only what the job's scheduler lets it, and stops when that has gone or does not want it any more.
 */

import type { Clock } from '../../kernel/clock.ts'
import { encodeError } from '../../kernel/error-wire.ts'
import { VarveError, isCode } from '../../kernel/errors.ts'
import type { Delivery, Mail, WorkQueues } from '../../nats/nats.ts'
import type { JobHandle, JobScheduler } from '../jobs.ts'
import { checkCount } from '../queue-settings.ts'
import { decodeSpec, encodeResult } from '../wire/job-wire.ts'
import { resolveBrokerSettings } from '../remote/settings.ts'
import { decodeOffer, decodeSchedulerMail, encodeMail } from './job-mail.ts'
import type { Offer, SchedulerMail, WorkerMail } from './job-mail.ts'
import { jobStreams } from './job-streams.ts'
import type { JobStreams } from './job-streams.ts'
import { renewLease } from './lease-renewal.ts'

export interface NatsJobWorkerOptions {
  /** Such as a `JetStreamQueues` of `varve/nats`. Stays the caller's. */
  readonly queues: WorkQueues & Mail
  /** As the schedulers have it. */
  readonly queue: string
  /** Runs the jobs. Stays the caller's. */
  readonly jobs: JobScheduler
  readonly clock: Clock
  /** Jobs at a time. Default 2. */
  readonly places?: number
  /** Of these, how many take urgent jobs only. One place is always for all. Default 1. */
  readonly urgentPlaces?: number
  /** As the schedulers have it. Default 1. */
  readonly replicas?: number
  /** As the schedulers have it, in milliseconds. Default BROKER_DEFAULTS.leaseMs. */
  readonly leaseMs?: number
}

// The bell tells at once; this is for those who were not listening then.
const LOOK_MS = 500
// A scheduler that does not answer so often has gone.
const REPORTS_MAX = 3

export class NatsJobWorker {
  readonly #options: NatsJobWorkerOptions
  readonly #places: JobStreams
  readonly #leaseMs: number
  readonly #running = new Set<JobHandle>()
  readonly #sleeping = new Set<() => void>()
  readonly #ended: Promise<unknown>
  #closed = false

  constructor(options: NatsJobWorkerOptions) {
    this.#options = options
    const { places = 2, urgentPlaces = 1, leaseMs } = options
    checkCount('places', places, 1, 1024)
    checkCount('urgentPlaces', urgentPlaces, 0, 1024)
    this.#places = jobStreams(options.queue, options.replicas ?? 1)
    this.#leaseMs = resolveBrokerSettings(leaseMs === undefined ? {} : { leaseMs }).leaseMs
    const reserved = Math.min(urgentPlaces, places - 1)
    const bell = options.queues.listen(this.#places.bell, () => this.#wake())
    const working = Array.from({ length: places }, (_, place) => this.#work(place < reserved))
    this.#ended = Promise.all(working).finally(() => bell.close())
    this.#ended.catch(() => undefined)
  }

  /** Jobs that are being worked on. */
  get running(): number {
    return this.#running.size
  }

  /** Takes nothing more and cancels what runs. Resolves when nothing does. */
  async close(): Promise<void> {
    this.#closed = true
    for (const handle of this.#running) handle.cancel('the worker is closed')
    this.#wake()
    await this.#ended
  }

  async #work(urgentOnly: boolean): Promise<void> {
    const { queues } = this.#options
    const { jobs, urgent, ordinary } = this.#places
    let ensured = false
    while (!this.#closed) {
      let delivery: Delivery | undefined
      try {
        if (!ensured) await queues.ensureQueue(jobs, this.#leaseMs)
        ensured = true
        delivery = await queues.next(jobs.name, urgent)
        if (delivery === undefined && !urgentOnly) delivery = await queues.next(jobs.name, ordinary)
      } catch (error) {
        // The servers are away.
        if (!isCode(error, 'IO_FAILED')) throw error
      }
      if (delivery === undefined) await this.#sleep()
      else await this.#take(delivery)
    }
  }

  async #take(delivery: Delivery): Promise<void> {
    try {
      await this.#begin(decodeOffer(delivery.data), delivery)
    } catch (error) {
      // No job; or its scheduler has gone, and what it wanted is planned anew by the next one.
      if (!isCode(error, 'IO_FAILED', 'LIMIT_EXCEEDED')) throw error
      delivery.done()
    }
  }

  async #begin({ address, key, spec: encoded }: Offer, delivery: Delivery): Promise<void> {
    const { queues, jobs } = this.#options
    const spec = decodeSpec(encoded)
    let cancelled = false
    let handle: JobHandle | undefined
    const control = queues.open(() => {
      cancelled = true
      handle?.cancel('it is not wanted any more')
      return encodeMail({ type: 'yes' })
    })
    try {
      const answer = await this.#tell(address, { type: 'begin', key, control: control.address })
      // While another is at it, the message stays for the day that one falls silent.
      if (answer.type === 'later') return
      if (answer.type !== 'run') {
        delivery.done()
        return
      }
      await jobs.ready()
      handle = jobs.submit({ ...spec, outputPrefix: spec.outputPrefix + answer.suffix })
      if (cancelled || this.#closed) handle.cancel('it is not wanted any more')
      await this.#run(handle, address, answer.lease, delivery)
    } finally {
      control.close()
    }
  }

  async #run(handle: JobHandle, address: string, lease: string, delivery: Delivery): Promise<void> {
    this.#running.add(handle)
    const renewal = renewLease(
      {
        progress: () => handle.progress(),
        renew: () => delivery.renew(),
        report: async (fraction) => (await this.#tell(address, { type: 'renew', lease, fraction })).type !== 'no',
        stop: (reason) => handle.cancel(reason),
      },
      this.#leaseMs,
      this.#options.clock,
    )
    try {
      await this.#report(address, await outcomeOf(handle, lease, this.#options.queues.bytesMax))
      delivery.done()
    } finally {
      renewal.cancel()
      this.#running.delete(handle)
    }
  }

  /** Said twice it does no harm, and not at all the lease ends. */
  async #report(address: string, mail: WorkerMail): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#tell(address, mail)
        return
      } catch (error) {
        if (!isCode(error, 'IO_FAILED') || tries >= REPORTS_MAX) throw error
      }
    }
  }

  async #tell(address: string, mail: WorkerMail): Promise<SchedulerMail> {
    return decodeSchedulerMail(await this.#options.queues.ask(address, encodeMail(mail)))
  }

  #sleep(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        this.#sleeping.delete(wake)
        resolve()
      }
      const timer = this.#options.clock.after(LOOK_MS, wake, { keepAlive: true })
      this.#sleeping.add(wake)
    })
  }

  #wake(): void {
    for (const wake of this.#sleeping) wake()
  }
}

async function outcomeOf(handle: JobHandle, lease: string, bytesMax: number): Promise<WorkerMail> {
  try {
    const result = encodeResult(await handle.result)
    if (result.length <= bytesMax) return { type: 'done', lease, result }
    throw new VarveError('LIMIT_EXCEEDED', `a result of ${result.length} bytes is too large for a message`, {
      details: { what: 'result', size: result.length, limit: bytesMax },
    })
  } catch (error) {
    const { stack: _stack, ...wire } = encodeError(isCode(error, 'JOB_FAILED') ? error.cause : error)
    return { type: 'failed', lease, error: wire }
  }
}
