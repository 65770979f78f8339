/**
 * A worker: pulls jobs from a work queue of NATS JetStream, as many at a time as it has places, and runs them on a
 * scheduler of its own, whose handler table is the list of what is allowed.
 *
 * It begins only what the job's scheduler lets it, and stops when that has gone or does not want it any more.
 */

import type { Clock } from '../../kernel/clock.ts'
import { encodeError } from '../../kernel/error-wire.ts'
import { VarveError, isCode } from '../../kernel/errors.ts'
import { onlyGiven } from '../../kernel/setting-check.ts'
import type { Delivery, Mail, WorkQueues } from '../../nats/nats.ts'
import { pause } from '../../nats/patience.ts'
import type { JobHandle, JobScheduler } from '../jobs.ts'
import { decodeSpec, encodeResult } from '../wire/job-wire.ts'
import { resolveBrokerSettings } from '../remote/settings.ts'
import { resolveJobWorkerSettings } from '../remote/worker-settings.ts'
import type { JobWorkerSettings, WorkerOffer } from '../remote/worker-settings.ts'
import { decodeOffer, decodeSchedulerMail, encodeMail } from './job-mail.ts'
import type { Offer, SchedulerMail, WorkerMail } from './job-mail.ts'
import { kindAt } from './job-kind.ts'
import { jobStreams } from './job-streams.ts'
import type { JobStreams } from './job-streams.ts'
import { ShardTurns, fits, inOrder } from './kind-choice.ts'
import type { WaitingKind } from './kind-choice.ts'
import { renewLease } from './lease-renewal.ts'

/** With JOB_WORKER_DEFAULTS. */
export interface NatsJobWorkerOptions extends Partial<JobWorkerSettings> {
  /** Such as a `JetStreamQueues` of `varve/nats`. Stays the caller's. */
  readonly queues: WorkQueues & Mail
  /** As the schedulers have it. */
  readonly queue: string
  /** Runs the jobs. Stays the caller's. */
  readonly jobs: JobScheduler
  /** Measures leases. */
  readonly clock: Clock
  /** As the schedulers have it. Default 1. */
  readonly replicas?: number
  /** As the schedulers have it, in milliseconds. Default BROKER_DEFAULTS.leaseMs. */
  readonly leaseMs?: number
}

// The bell tells at once; this is for those who were not listening then.
const LOOK_MS = 500
// A place that has just become free is at work for those who wait: it asks for the next job within a moment.
const BETWEEN_MS = 2_000
// Of the kinds of jobs that wait, those that are looked at closely: one small request each.
const KINDS_MAX = 64
// A scheduler that does not answer while its job was delivered so often has gone. One whose server was killed has another
// within seconds; until then it is not found at all, so that many questions in a row would take no time.
const UNANSWERED_MAX = 10

/** Works from its making until `close`. Leaves the connection and the scheduler as they are. */
export class NatsJobWorker {
  readonly #options: NatsJobWorkerOptions
  readonly #places: JobStreams
  readonly #settings: JobWorkerSettings
  readonly #leaseMs: number
  readonly #turns = new ShardTurns()
  readonly #running = new Set<JobHandle>()
  readonly #sleeping = new Set<() => void>()
  /** When a job last ended. */
  #endedMs = -Infinity
  /** Settles when it works no more; rejects where it cannot: INCOMPATIBLE — the stream is another one; CLOSED — the connection is. */
  readonly ended: Promise<void>
  #closed = false

  constructor(options: NatsJobWorkerOptions) {
    this.#options = options
    const { queue, queues, leaseMs } = options
    this.#settings = resolveJobWorkerSettings(settingsOf(options))
    this.#places = jobStreams(queue, options.replicas ?? 1)
    this.#leaseMs = resolveBrokerSettings(leaseMs === undefined ? {} : { leaseMs }).leaseMs
    const { places, urgentPlaces } = this.#settings
    const reserved = Math.min(urgentPlaces, places - 1)
    const bell = queues.listen(this.#places.bell, () => this.#wake())
    const presence = queues.open((data) => this.#sayWhetherAtWork(data), this.#places.presence)
    this.ended = Promise.all(Array.from({ length: places }, (_, place) => this.#work(place < reserved))).then(
      () => undefined,
    )
    // Whoever listens hears of it.
    this.ended
      .catch(() => undefined)
      .finally(() => {
        bell.close()
        presence.close()
      })
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
    await this.ended.catch(() => undefined)
  }

  /** To one whose job waits: whether a place that could take it will be free. No answer: no. */
  #sayWhetherAtWork(subject: Uint8Array): Uint8Array | undefined {
    const { memoryBytes, labels } = this.#settings
    const kind = kindAt(this.#options.queue, new TextDecoder().decode(subject))
    const can = kind !== undefined && fits(kind, { urgentOnly: false, memoryBytes, labels })
    const isAtWork = this.#running.size > 0 || this.#options.clock.monotonic() - this.#endedMs < BETWEEN_MS
    return can && isAtWork ? encodeMail({ type: 'yes' }) : undefined
  }

  async #work(urgentOnly: boolean): Promise<void> {
    const { memoryBytes, labels } = this.#settings
    let ensured = false
    while (!this.#closed) {
      let delivery: Delivery | undefined
      try {
        if (!ensured) await this.#options.queues.ensureQueue(this.#places.jobs)
        ensured = true
        delivery = await this.#next({ urgentOnly, memoryBytes, labels })
      } catch (error) {
        // The servers are away.
        if (!isCode(error, 'IO_FAILED')) throw error
      }
      if (delivery === undefined) await this.#sleep()
      else await this.#take(delivery)
    }
  }

  /** The job that is due, of those there is room for. */
  async #next(offer: WorkerOffer): Promise<Delivery | undefined> {
    const { queues, queue } = this.#options
    const { jobs, filter } = this.#places
    const waiting: WaitingKind[] = []
    for (const subject of await queues.subjects(jobs.name, filter)) {
      const kind = kindAt(queue, subject)
      if (kind !== undefined && fits(kind, offer)) waiting.push({ subject, kind, leased: 0 })
    }
    const looked = await Promise.all(
      inOrder(waiting, this.#turns)
        .slice(0, KINDS_MAX)
        .map(async (each) => ({ ...each, leased: await queues.delivered(jobs.name, each.subject, this.#leaseMs) })),
    )
    for (const { subject, kind } of inOrder(looked, this.#turns)) {
      const delivery = await queues.next(jobs.name, subject)
      if (delivery === undefined) continue
      this.#turns.take(kind.shard)
      return delivery
    }
    return undefined
  }

  async #take(delivery: Delivery): Promise<void> {
    try {
      await this.#begin(decodeOffer(delivery.data), delivery)
    } catch (error) {
      if (!isCode(error, 'IO_FAILED', 'LIMIT_EXCEEDED')) throw error
      // No job; or its scheduler has gone, and what it wanted is planned anew by the next one.
      if (isCode(error, 'LIMIT_EXCEEDED') || delivery.count >= UNANSWERED_MAX) delivery.done()
      else delivery.giveBack(this.#leaseMs / UNANSWERED_MAX)
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
      if (answer.type === 'later') {
        delivery.giveBack(this.#leaseMs / 3)
        return
      }
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
      const outcome = await outcomeOf(handle, lease, this.#options.queues.bytesMax)
      if (await this.#report(address, outcome)) delivery.done()
      // Over, or waiting for another: who gets it next asks.
      else delivery.giveBack()
    } finally {
      renewal.cancel()
      this.#running.delete(handle)
      this.#endedMs = this.#options.clock.monotonic()
    }
  }

  /** Said twice it does no harm, and not at all the lease ends. @returns whether it was wanted */
  async #report(address: string, mail: WorkerMail): Promise<boolean> {
    const { clock } = this.#options
    const sinceMs = clock.monotonic()
    for (;;) {
      try {
        return (await this.#tell(address, mail)).type !== 'no'
      } catch (error) {
        if (!isCode(error, 'IO_FAILED') || clock.monotonic() - sinceMs >= this.#leaseMs) throw error
      }
      await pause(clock, this.#leaseMs / (2 * UNANSWERED_MAX))
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

/** Those of `options` that say what this worker has room for. */
function settingsOf({ places, urgentPlaces, memoryBytes, labels }: NatsJobWorkerOptions): Partial<JobWorkerSettings> {
  return onlyGiven<Partial<Record<keyof JobWorkerSettings, unknown>>>({
    places,
    urgentPlaces,
    memoryBytes,
    labels,
  }) as Partial<JobWorkerSettings>
}
