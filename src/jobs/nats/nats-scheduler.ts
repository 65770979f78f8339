/**
 * A job scheduler whose workers pull from a work queue of NATS JetStream.
 *
 * The queue keeps what nobody has begun, and gives to another what a worker has fallen silent over. Whether a worker may
 * begin, and whose answer counts, is said by the scheduler, to whom it talks directly: a message that is delivered twice,
 * or after its shard has gone, does nothing. Takes no shared memory. A job that nobody comes for, or that is too large for
 * a message, runs on `local`; one that is given up is a dead letter.
 */

import type { Clock } from '../../kernel/clock.ts'
import { isCode } from '../../kernel/errors.ts'
import { nonce } from '../../kernel/random.ts'
import type { Random } from '../../kernel/random.ts'
import type { Mail, Mailbox, Published, Streams, WorkQueues } from '../../nats/nats.ts'
import { portableSpec } from '../job-data.ts'
import { DistantScheduler } from '../distant-scheduler.ts'
import type { JobHandle, JobResult, JobScheduler, JobSpec } from '../jobs.ts'
import type { QueuedJob } from '../queued-job.ts'
import { encodeSpec } from '../wire/job-wire.ts'
import { Quarantine } from '../remote/quarantine.ts'
import { resolveBrokerSettings } from '../remote/settings.ts'
import type { BrokerSettings } from '../remote/settings.ts'
import { decodeWorkerMail, encodeMail } from './job-mail.ts'
import { kindOf, subjectOf } from './job-kind.ts'
import { jobStreams } from './job-streams.ts'
import type { JobStreams } from './job-streams.ts'
import { OfferedJob } from './offered-job.ts'
import type { OfferOutcome } from './offered-job.ts'

/** What is needed to have jobs run elsewhere. */
export interface NatsSchedulerOptions {
  /** Such as a `JetStream` of `varve/nats`: for dead letters. Stays the caller's. */
  readonly streams: Streams
  /** Such as a `JetStreamQueues` of `varve/nats`. Stays the caller's. */
  readonly queues: WorkQueues & Mail
  /** Name of the queue: its streams begin with it. Workers of another queue do not get these jobs. */
  readonly queue: string
  /** Whose jobs these are: shards take turns. */
  readonly shard: string
  /** Measures leases and patience. */
  readonly clock: Clock
  /** Makes names that nobody else has. */
  readonly random: Random
  /** Runs what nobody elsewhere does. Stays the caller's. Default: such a job fails. */
  readonly local?: JobScheduler
  /** Jobs that have not settled; with as many, `submit` throws BUSY. Default NATS_JOBS_MAX. */
  readonly pendingMax?: number
  /** What workers have, such as `gpu`; jobs that need anything else are refused. Default: nothing. */
  readonly labels?: readonly string[]
  /** Servers that have each job: 1, 3 or 5. Default 1. */
  readonly replicas?: number
  /** `orphanMs` has no meaning here: a job whose scheduler has gone ends with the next renewal that is not answered. */
  readonly settings?: Partial<BrokerSettings>
}

/** As with a broker: a waiting spec takes some kilobytes. */
export const NATS_JOBS_MAX = 100

/** Jobs for workers elsewhere, over JetStream. `close` ends what is under way, not the connection. */
export class NatsScheduler extends DistantScheduler {
  readonly name = 'nats'
  readonly #options: NatsSchedulerOptions
  readonly #settings: BrokerSettings
  readonly #places: JobStreams
  readonly #quarantine: Quarantine
  readonly #offered = new Map<string, OfferedJob>()
  #mailbox: Mailbox | undefined
  #ensured: Promise<void> | undefined

  constructor(options: NatsSchedulerOptions) {
    super({ pendingMax: NATS_JOBS_MAX, ...options })
    this.#options = options
    this.#settings = resolveBrokerSettings(options.settings)
    this.#places = jobStreams(options.queue, options.replicas ?? 1)
    this.#quarantine = new Quarantine(options.clock, this.#settings)
  }

  /** @throws {VarveError} as a scheduler; LIMIT_EXCEEDED — names of shard and labels are too long for a subject */
  override submit(spec: JobSpec): JobHandle {
    this.#subjectOf(spec)
    return super.submit(spec)
  }

  override async close(): Promise<void> {
    await super.close()
    this.#mailbox?.close()
    this.#mailbox = undefined
  }

  protected override async run(job: QueuedJob): Promise<JobResult> {
    // Cloned, as on the way to a thread: what is no data fails here.
    const spec = structuredClone(portableSpec(job.spec))
    const quarantinedMs = Math.ceil(this.#quarantine.remainingMs(spec))
    if (quarantinedMs > 0) throw new Error(`its work has failed too often: not for ${quarantinedMs} ms`)
    const outcome = await this.#offer(job, spec)
    if (outcome.type === 'done') {
      this.#quarantine.succeeded(spec)
      return outcome.result
    }
    if (outcome.type === 'not-begun') return this.runHere(job)
    if (job.signal.aborted) throw job.signal.reason
    if (outcome.type === 'failed') {
      if (!isCode(outcome.error, 'INCOMPATIBLE')) this.#quarantine.failed(spec)
      return this.failedElsewhere(job, outcome.error)
    }
    this.#quarantine.failed(spec)
    await this.#bury(spec)
    throw new Error(`${outcome.tries} workers have fallen silent over it, or come no further`)
  }

  async #offer(job: QueuedJob, spec: JobSpec): Promise<OfferOutcome> {
    const { queues, clock, random } = this.#options
    const key = `${spec.id}/${spec.attempt}/${nonce(random)}`
    let sequence: number | undefined
    const offered = new OfferedJob(
      job,
      clock,
      this.#settings,
      () => nonce(random),
      () => this.#isAwaited(spec, sequence),
    )
    this.#offered.set(key, offered)
    const cancel = (): void => {
      const { control } = offered
      if (control === undefined) offered.withdraw()
      else queues.tell(control)
    }
    job.signal.addEventListener('abort', cancel, { once: true })
    try {
      const published = await this.#publish(spec, key)
      if (published?.type === 'stored') sequence = published.sequence
      // Nobody has heard of it, as far as is known; who does later is told no.
      else if (offered.control === undefined) offered.withdraw()
      if (job.signal.aborted) cancel()
      return await offered.outcome
    } finally {
      job.signal.removeEventListener('abort', cancel)
      this.#offered.delete(key)
      if (sequence !== undefined) void queues.remove(this.#places.jobs.name, sequence).catch(() => undefined)
    }
  }

  /** Undefined: it is not there, or not for certain. */
  async #publish(spec: JobSpec, key: string): Promise<Published | undefined> {
    const { streams, queues } = this.#options
    const { jobs, bell } = this.#places
    try {
      this.#ensured ??= this.#ensure()
      await this.#ensured
      this.#mailbox ??= queues.open((data) => this.#hear(data))
      const offer = encodeMail({ address: this.#mailbox.address, key, spec: encodeSpec(spec) })
      if (offer.length > streams.payloadBytesMax) return undefined
      const published = await streams.publish(jobs.name, this.#subjectOf(spec), offer)
      queues.tell(bell)
      return published
    } catch (error) {
      this.#ensured = undefined
      if (!isCode(error, 'IO_FAILED', 'CLOSED')) throw error
      return undefined
    }
  }

  /** Whether it is still in the queue, and somebody who could take it is at work. */
  async #isAwaited(spec: JobSpec, sequence: number | undefined): Promise<boolean> {
    const { streams, queues } = this.#options
    const { jobs, presence } = this.#places
    try {
      await queues.ask(presence, new TextEncoder().encode(this.#subjectOf(spec)))
      // Taken by somebody who could not ask here, and then gave it up: nobody else will come for it.
      return sequence === undefined || (await streams.message(jobs.name, sequence)) !== undefined
    } catch (error) {
      if (isCode(error, 'IO_FAILED', 'CLOSED')) return false
      throw error
    }
  }

  #subjectOf(spec: JobSpec): string {
    return subjectOf(this.#options.queue, kindOf(spec, this.#options.shard))
  }

  async #ensure(): Promise<void> {
    const { streams, queues } = this.#options
    await queues.ensureQueue(this.#places.jobs)
    await streams.ensure(this.#places.dead)
  }

  #hear(data: Uint8Array): Uint8Array {
    try {
      const mail = decodeWorkerMail(data)
      if (mail.type === 'begin') return encodeMail(this.#offered.get(mail.key)?.hear(mail) ?? { type: 'no' })
      for (const offered of this.#offered.values()) {
        const answer = offered.hear(mail)
        if (answer.type === 'yes') return encodeMail(answer)
      }
    } catch (error) {
      if (!isCode(error, 'LIMIT_EXCEEDED')) throw error
    }
    return encodeMail({ type: 'no' })
  }

  /** For people to look at. */
  async #bury(spec: JobSpec): Promise<void> {
    const { name, subjects } = this.#places.dead
    try {
      await this.#options.streams.publish(name, subjects[0] ?? '', encodeSpec(spec))
    } catch {
      // The job has failed in any case.
    }
  }
}
