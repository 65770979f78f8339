/**
 * A worker: takes jobs out of a PostgreSQL database, as many at a time as it has places, and runs them on a scheduler of its
 * own.
 *
 * What it may run is that scheduler's business: its handler table is the list of what is allowed. Jobs that are cancelled,
 * or whose lease has gone to another, are stopped; nothing is deleted.
 */

import type { Timer } from '../../kernel/clock.ts'
import { encodeError } from '../../kernel/error-wire.ts'
import { isCode } from '../../kernel/errors.ts'
import { nonce } from '../../kernel/random.ts'
import type { Random } from '../../kernel/random.ts'
import type { PostgresDatabase } from '../../postgres/postgres-database.ts'
import { storageError } from '../../postgres/sql-retry.ts'
import type { JobHandle, JobScheduler, JobSpec } from '../jobs.ts'
import { resolveJobWorkerSettings } from '../remote/worker-settings.ts'
import type { JobWorkerSettings } from '../remote/worker-settings.ts'
import { decodeSpec, encodeResult } from '../wire/job-wire.ts'
import { JobQueueTable } from './job-queue-table.ts'
import type { PlaceLease, PulledJob } from './job-queue-table.ts'
import { resolvePostgresJobSettings } from './settings.ts'
import type { PostgresJobSettings } from './settings.ts'

/** What a worker is made of. */
export interface PostgresWorkerOptions {
  /** Stays the caller's. */
  readonly database: PostgresDatabase
  /** Runs the jobs. Stays the caller's. */
  readonly jobs: JobScheduler
  /** Makes names of leases. */
  readonly random: Random
  /** Default, each: that of `JOB_WORKER_DEFAULTS`. */
  readonly places?: Partial<JobWorkerSettings>
  /** Default, each: that of `POSTGRES_JOB_DEFAULTS`. */
  readonly settings?: Partial<PostgresJobSettings>
}

// What a person sees move.
const PROGRESS_MS = 100
// After a failure, until it looks again.
const AGAIN_MS = 500

/** Works from its opening until `close`. Leaves the database and the scheduler as they are. */
export class PostgresWorker {
  readonly #options: PostgresWorkerOptions
  readonly #places: JobWorkerSettings
  readonly #settings: PostgresJobSettings
  readonly #table: JobQueueTable
  readonly #ignore: () => void
  /** What is worked on, and how to ask at once whether it is still wanted. */
  readonly #running = new Map<JobHandle, () => void>()
  /** Places that look for work, or wait until there is some. */
  readonly #sleepers = new Set<() => void>()
  #closed = false
  /** Settles when it works no more; rejects where it may not: PERMISSION_DENIED, INCOMPATIBLE. */
  readonly ended: Promise<void>

  private constructor(options: PostgresWorkerOptions, table: JobQueueTable, settings: PostgresJobSettings) {
    this.#options = options
    this.#settings = settings
    this.#table = table
    this.#places = resolveJobWorkerSettings(options.places)
    const { places, urgentPlaces } = this.#places
    this.#ignore = table.onWork(() => {
      for (const ask of this.#running.values()) ask()
      for (const wake of this.#sleepers) wake()
    })
    const reserved = Math.min(urgentPlaces, places - 1)
    const working = Array.from({ length: places }, (_, place) => this.#work(place < reserved))
    this.ended = Promise.all(working).then(() => undefined)
    // Whoever listens hears of it.
    this.ended.catch(() => undefined)
  }

  /**
   * Makes the tables where they are missing.
   *
   * @throws {VarveError} IO_FAILED, PERMISSION_DENIED, INCOMPATIBLE
   */
  static async open(options: PostgresWorkerOptions): Promise<PostgresWorker> {
    const settings = resolvePostgresJobSettings(options.settings)
    return new PostgresWorker(options, await JobQueueTable.open(options.database, settings), settings)
  }

  /** Jobs that are being worked on. */
  get running(): number {
    return this.#running.size
  }

  /** Takes nothing more and cancels what runs. Resolves when nothing does. */
  async close(): Promise<void> {
    this.#closed = true
    this.#ignore()
    for (const wake of this.#sleepers) wake()
    for (const handle of this.#running.keys()) handle.cancel('the worker is closed')
    await this.ended.catch(() => undefined)
  }

  async #work(urgentOnly: boolean): Promise<void> {
    const { memoryBytes, labels } = this.#places
    const { random, database } = this.#options
    const place = nonce(random)
    while (!this.#closed) {
      // What comes while it looks is looked for again.
      let wake: (() => void) | undefined
      const woken = new Promise<void>((resolve) => (wake = resolve))
      const sleeper = (): void => wake?.()
      this.#sleepers.add(sleeper)
      const lease = { lease: nonce(random), place }
      let [pulled, pauseMs] = [undefined as PulledJob | undefined, this.#settings.pollMs]
      try {
        pulled = await this.#table.pull(lease, { urgentOnly, memoryBytes, labels })
        if (pulled === undefined) await this.#table.sweep()
      } catch (error) {
        const reason = storageError(error, 'pull a job')
        if (isCode(reason, 'CLOSED')) return
        if (!isCode(reason, 'IO_FAILED', 'NO_SPACE')) throw reason
        pauseMs = AGAIN_MS
      }
      if (pulled === undefined && !this.#closed) {
        const timer = database.clock.after(pauseMs, sleeper)
        await woken
        timer.cancel()
      }
      this.#sleepers.delete(sleeper)
      if (pulled !== undefined) await this.#run(lease, pulled)
    }
  }

  async #run(lease: PlaceLease, { spec, tries }: PulledJob): Promise<void> {
    const { jobs } = this.#options
    let handle: JobHandle
    try {
      const decoded = decodeSpec(spec)
      await jobs.ready()
      handle = jobs.submit(ofTry(decoded, tries))
      if (this.#closed) handle.cancel('the worker is closed')
    } catch (error) {
      await this.#failed(lease, error)
      return
    }
    const renewals = this.#renew(lease, handle)
    try {
      const result = await handle.result
      renewals.cancel()
      await this.#finish(lease, 'done', encodeResult(result))
    } catch (error) {
      renewals.cancel()
      await this.#failed(lease, isCode(error, 'JOB_FAILED') ? error.cause : error)
    }
  }

  /** Says now and then that it is still at it, and stops it when it is not wanted any more. */
  #renew(lease: PlaceLease, handle: JobHandle): Timer {
    const { clock } = this.#options.database
    const renewalMs = this.#settings.leaseMs / 3
    let [renewedMs, said, ended, asking] = [clock.monotonic(), 0, false, false]
    let timer: Timer | undefined
    const ask = (): void => {
      if (asking) return
      asking = true
      said = handle.progress()
      renewedMs = clock.monotonic()
      this.#table.renew(lease, said).then(
        (wanted) => {
          asking = false
          if (!wanted && !ended) handle.cancel('it is not wanted any more')
        },
        () => (asking = false),
      )
    }
    const tick = (): void => {
      if (handle.progress() > said || clock.monotonic() - renewedMs >= renewalMs) ask()
      timer = clock.after(Math.min(PROGRESS_MS, renewalMs), tick, { keepAlive: true })
    }
    tick()
    this.#running.set(handle, ask)
    return {
      cancel: () => {
        ended = true
        timer?.cancel()
        this.#running.delete(handle)
      },
    }
  }

  #failed(lease: PlaceLease, error: unknown): Promise<void> {
    // That this worker is of another version says nothing about the work.
    return this.#finish(lease, isCode(error, 'INCOMPATIBLE') ? 'refused' : 'failed', wireOf(error))
  }

  /** Where it cannot be said, the lease ends. */
  async #finish(lease: PlaceLease, how: 'done' | 'failed' | 'refused', answer: Uint8Array): Promise<void> {
    try {
      await this.#table.finish(lease, how, answer)
    } catch (error) {
      if (!isCode(error, 'IO_FAILED', 'NO_SPACE', 'CLOSED')) throw error
    }
  }
}

/** Outputs of every try have names of their own, so that one that comes late is in nobody's way. */
function ofTry(spec: JobSpec, tries: number): JobSpec {
  return tries === 1 ? spec : { ...spec, outputPrefix: `${spec.outputPrefix}t${tries}-` }
}

function wireOf(error: unknown): Uint8Array {
  const { stack: _stack, ...wire } = encodeError(error)
  return new TextEncoder().encode(JSON.stringify(wire))
}
