/**
 * A worker: pulls jobs from a broker, as many at a time as it has places, and runs them on a scheduler of its own.
 *
 * What it may run is that scheduler's business: its handler table is the list of what is allowed. Jobs that are cancelled,
 * or whose lease has ended, are stopped; nothing is deleted.
 */

import type { Clock, Timer } from '../../kernel/clock.ts'
import { encodeError } from '../../kernel/error-wire.ts'
import { VarveError, isCode } from '../../kernel/errors.ts'
import { nonce } from '../../kernel/random.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcReply } from '../../rpc/rpc.ts'
import type { JobHandle, JobScheduler } from '../jobs.ts'
import { WORKER_SERVICE } from './job-service.ts'
import { decodeSpec, encodeResult } from '../wire/job-wire.ts'
import { resolveJobWorkerSettings } from './worker-settings.ts'
import type { JobWorkerSettings } from './worker-settings.ts'

/** What a worker is made of. */
export interface JobWorkerOptions {
  /** Of a server with a `WorkerService`. Stays the caller's. */
  readonly client: RpcClient
  /** Runs the jobs. Stays the caller's. */
  readonly jobs: JobScheduler
  /** Measures leases, and waits while the broker is away. */
  readonly clock: Clock
  /** Default, each: that of `JOB_WORKER_DEFAULTS`. */
  readonly settings?: Partial<JobWorkerSettings>
}

// What a person sees move, and often enough for any lease.
const RENEWAL_MS_MAX = 1_000
const PROGRESS_MS = 100

/** Works from its making until `close`. Leaves the client and the scheduler as they are. */
export class JobWorker {
  readonly #options: JobWorkerOptions
  readonly #settings: JobWorkerSettings
  readonly #stop = new AbortController()
  readonly #running = new Set<JobHandle>()
  /** Settles when it works no more; rejects where it is not wanted: PERMISSION_DENIED, INCOMPATIBLE. */
  readonly ended: Promise<void>

  constructor(options: JobWorkerOptions) {
    this.#options = options
    this.#settings = resolveJobWorkerSettings(options.settings)
    const { places, urgentPlaces } = this.#settings
    const reserved = Math.min(urgentPlaces, places - 1)
    this.ended = Promise.all(Array.from({ length: places }, (_, place) => this.#work(place < reserved))).then(
      () => undefined,
    )
    // Whoever listens hears of it.
    this.ended.catch(() => undefined)
  }

  /** Jobs that are being worked on. */
  get running(): number {
    return this.#running.size
  }

  /** Takes nothing more and cancels what runs. Resolves when nothing does. */
  async close(): Promise<void> {
    this.#stop.abort(new VarveError('CLOSED', 'the worker is closed'))
    for (const handle of this.#running) handle.cancel('the worker is closed')
    await this.ended.catch(() => undefined)
  }

  async #work(urgentOnly: boolean): Promise<void> {
    const { memoryBytes, labels } = this.#settings
    const { signal } = this.#stop
    const { random } = this.#options.client
    while (!signal.aborted) {
      try {
        // As long as it takes, and again under this name whenever the broker has been away.
        const parameters = [urgentOnly, memoryBytes, labels, `${nonce(random)}${nonce(random)}`]
        const { value, body } = await this.#call('pull', parameters, { timeoutMs: 0, signal })
        if (value !== undefined) await this.#run(value as [string, number], body)
      } catch (error) {
        if (signal.aborted || isCode(error, 'CLOSED')) return
        throw error
      }
    }
  }

  async #run([lease, leaseMs]: readonly [string, number], body: Uint8Array): Promise<void> {
    const { jobs, clock } = this.#options
    let handle: JobHandle
    try {
      const spec = decodeSpec(body)
      await jobs.ready()
      handle = jobs.submit(spec)
    } catch (error) {
      await this.#report('failed', [lease, wireOf(error)])
      return
    }
    this.#running.add(handle)
    // It was closed while the job waited for room.
    if (this.#stop.signal.aborted) handle.cancel('the worker is closed')
    let settled = false
    void this.#call('watch', [lease], { timeoutMs: 0 }).then(
      () => settled || handle.cancel('it is not wanted any more'),
      () => undefined,
    )
    const renewalMs = Math.min(RENEWAL_MS_MAX, leaseMs / 3)
    let timer: Timer | undefined
    let renewedMs = clock.monotonic()
    let said = 0
    const tick = (): void => {
      const fraction = handle.progress()
      const now = clock.monotonic()
      if (fraction > said || now - renewedMs >= renewalMs) {
        said = fraction
        renewedMs = now
        void this.#call('renew', [lease, fraction], { timeoutMs: leaseMs }).then(
          ({ value }) => {
            if (value === false && !settled) handle.cancel('its lease has ended')
          },
          () => undefined,
        )
      }
      timer = clock.after(Math.min(PROGRESS_MS, renewalMs), tick, { keepAlive: true })
    }
    tick()
    try {
      const result = await handle.result
      settled = true
      await this.#report('done', [lease], encodeResult(result))
    } catch (error) {
      settled = true
      // The broker gives it to another when the lease ends, or now.
      await this.#report('failed', [lease, wireOf(isCode(error, 'JOB_FAILED') ? error.cause : error)])
    } finally {
      timer?.cancel()
      this.#running.delete(handle)
    }
  }

  /** Said twice it does no harm, and not at all the lease ends. */
  async #report(method: 'done' | 'failed', parameters: readonly unknown[], body?: Uint8Array): Promise<void> {
    try {
      await this.#call(method, parameters, body === undefined ? {} : { body })
    } catch (error) {
      if (!isCode(error, 'IO_FAILED', 'CLOSED')) throw error
    }
  }

  #call(
    method: string,
    parameters: readonly unknown[],
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal; readonly body?: Uint8Array },
  ): Promise<RpcReply> {
    return this.#options.client.call({ service: WORKER_SERVICE, method, parameters, ...options })
  }
}

function wireOf(error: unknown): unknown {
  const { stack: _stack, ...wire } = encodeError(error)
  return wire
}
