/**
 * A job scheduler whose workers are elsewhere: the client of `JobService`.
 *
 * Takes no shared memory: a shard flushes with a scheduler of its own. Where the broker is not there, nobody asks it for a
 * job, or a worker of another version refuses it, the job runs on `local`, if there is one. When the connection is lost
 * while a job runs, it is asked for again under its key; a broker that does not know it any more runs it again.
 */

import type { Clock, Timer } from '../../kernel/clock.ts'
import { decodeError } from '../../kernel/error-wire.ts'
import { isCode } from '../../kernel/errors.ts'
import { nonce } from '../../kernel/random.ts'
import type { Random } from '../../kernel/random.ts'
import { isUnanswered } from '../../rpc/call-error.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcReply } from '../../rpc/rpc.ts'
import { portableSpec } from '../job-data.ts'
import { DistantScheduler } from '../distant-scheduler.ts'
import type { JobResult, JobScheduler } from '../jobs.ts'
import type { QueuedJob } from '../queued-job.ts'
import { JOB_SERVICE } from './job-service.ts'
import { decodeResult, encodeSpec } from '../wire/job-wire.ts'

/** What is needed to have jobs run elsewhere. */
export interface RemoteSchedulerOptions {
  /** Of a server with a `JobService`. Stays the caller's. */
  readonly client: RpcClient
  /** Whose jobs these are: shards take turns. */
  readonly shard: string
  /** Measures how long the broker is away. */
  readonly clock: Clock
  /** Makes keys that nobody else has. */
  readonly random: Random
  /** Runs what nobody elsewhere does. Stays the caller's. Default: such a job fails. */
  readonly local?: JobScheduler
  /** Jobs that have not settled; with as many, `submit` throws BUSY. Default REMOTE_JOBS_MAX. */
  readonly pendingMax?: number
  /** What workers have, such as `gpu`; jobs that need anything else are refused. Default: nothing. */
  readonly labels?: readonly string[]
  /** How long a broker may be away before its jobs run here, in milliseconds. Default REMOTE_JOBS_AWAY_MS. */
  readonly awayMs?: number
}

/** Of a call's limit on a connection; every job is a call that is under way. */
export const REMOTE_JOBS_MAX = 100
/**
 * In milliseconds. A broker that is started again takes a second or two; what waits for longer can as well run here.
 */
export const REMOTE_JOBS_AWAY_MS = 5_000

// Faster than a person reads, and a call costs some ten microseconds.
const PROGRESS_MS = 250

/** Jobs for workers elsewhere, over a broker. `close` ends what is under way, not the client. */
export class RemoteScheduler extends DistantScheduler {
  readonly name = 'remote'
  readonly #options: RemoteSchedulerOptions
  /** The broker has taken a job of ours. */
  #admitted = false

  constructor(options: RemoteSchedulerOptions) {
    super({ pendingMax: REMOTE_JOBS_MAX, ...options })
    this.#options = options
  }

  protected override async run(job: QueuedJob): Promise<JobResult> {
    // Cloned, as on the way to a thread: what is no data fails here.
    const spec = structuredClone(portableSpec(job.spec))
    const body = encodeSpec(spec)
    const key = `${spec.id}/${spec.attempt}/${nonce(this.#options.random)}`
    const cancel = (): void => void this.#ask('cancel', key).catch(() => undefined)
    job.signal.addEventListener('abort', cancel, { once: true })
    const progress = this.#follow(job, key)
    let reply: RpcReply | undefined
    try {
      reply = await this.#submit(job, key, body)
    } finally {
      progress.cancel()
      job.signal.removeEventListener('abort', cancel)
    }
    const [type, failure] = (reply?.value ?? ['not-begun']) as [string, unknown]
    if (reply !== undefined && type === 'done') return decodeResult(reply.body)
    if (type === 'failed') return this.failedElsewhere(job, decodeError(failure))
    return this.runHere(job)
  }

  /** What the broker answers; undefined: it is not there. */
  async #submit(job: QueuedJob, key: string, body: Uint8Array): Promise<RpcReply | undefined> {
    const { client, shard, awayMs = REMOTE_JOBS_AWAY_MS } = this.#options
    for (let submission = 0; ; submission++) {
      try {
        const connection = await client.retry({ timeoutMs: awayMs }, async (found) => Promise.resolve(found))
        const { aborted, reason } = job.signal
        if (aborted && submission === 0) throw reason
        // One that may have begun ends when its worker has stopped, and is not begun again.
        const call = aborted
          ? { method: 'await', parameters: [shard, key] }
          : { method: 'submit', parameters: [shard, key, submission], body }
        const reply = await connection.call({ service: JOB_SERVICE, ...call, timeoutMs: 0 })
        this.#admitted = true
        return reply
      } catch (error) {
        // A token that has expired, a broker that is another one now. Who was never let in has to be told.
        if (this.#admitted && isCode(error, 'PERMISSION_DENIED', 'INCOMPATIBLE')) return undefined
        if (!isUnanswered(error)) throw error
        if (error.details['operation'] === 'connect') return undefined
      }
    }
  }

  /** Asks now and then how far it is. */
  #follow(job: QueuedJob, key: string): Timer {
    const { clock } = this.#options
    let stopped = false
    let timer: Timer | undefined
    const next = (): void => {
      timer = clock.after(PROGRESS_MS, () => {
        this.#ask('progress', key)
          .then(
            ({ value }) => void (typeof value === 'number' && job.onProgress(value)),
            () => undefined,
          )
          .finally(() => stopped || next())
      })
    }
    next()
    return {
      cancel: () => {
        stopped = true
        timer?.cancel()
      },
    }
  }

  #ask(method: 'cancel' | 'progress', key: string): Promise<RpcReply> {
    const { client, shard } = this.#options
    return client.call({ service: JOB_SERVICE, method, parameters: [shard, key] })
  }
}
