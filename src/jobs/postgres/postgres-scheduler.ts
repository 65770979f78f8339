/**
 * A job scheduler whose queue is in a PostgreSQL database, and whose workers are elsewhere.
 *
 * Takes no shared memory: a shard flushes with a scheduler of its own. Where the database is not there, or nobody asks for a
 * job, it runs on `local`, if there is one. Of workers that take a job after each other, each has names of its own for its
 * outputs; what one answers whose lease has gone to another is not listened to.
 */

import { decodeError } from '../../kernel/error-wire.ts'
import { VarveError, isCode } from '../../kernel/errors.ts'
import { nonce } from '../../kernel/random.ts'
import type { Random } from '../../kernel/random.ts'
import type { PostgresDatabase } from '../../postgres/postgres-database.ts'
import { portableSpec } from '../job-data.ts'
import { DistantScheduler } from '../distant-scheduler.ts'
import type { JobResult, JobScheduler } from '../jobs.ts'
import type { QueuedJob } from '../queued-job.ts'
import { decodeResult } from '../wire/job-wire.ts'
import { JobQueueTable } from './job-queue-table.ts'
import { JobWatch } from './job-watch.ts'
import { resolvePostgresJobSettings } from './settings.ts'
import type { PostgresJobSettings } from './settings.ts'

/** What is needed to have jobs run elsewhere. */
export interface PostgresSchedulerOptions {
  /** Stays the caller's. */
  readonly database: PostgresDatabase
  /** Whose jobs these are: shards take turns. */
  readonly shard: string
  /** Makes names that nobody else has. */
  readonly random: Random
  /** Runs what nobody elsewhere does. Stays the caller's. Default: such a job fails. */
  readonly local?: JobScheduler
  /** Jobs that have not settled; with as many, `submit` throws BUSY. Default POSTGRES_JOBS_MAX. */
  readonly pendingMax?: number
  /** What workers have, such as `gpu`; jobs that need anything else are refused. Default: nothing. */
  readonly labels?: readonly string[]
  /** Default, each: that of `POSTGRES_JOB_DEFAULTS`. */
  readonly settings?: Partial<PostgresJobSettings>
}

/** All of them are looked after by one statement. */
export const POSTGRES_JOBS_MAX = 256

/** Jobs for workers elsewhere, over a table. `close` ends what is under way, not the database. */
export class PostgresScheduler extends DistantScheduler {
  readonly name = 'postgres'
  readonly #options: PostgresSchedulerOptions
  readonly #table: JobQueueTable
  readonly #watch: JobWatch
  readonly #ignore: () => void
  /** Submissions are made one after the other: their order counts. */
  #submitted: Promise<unknown> = Promise.resolve()

  private constructor(options: PostgresSchedulerOptions, table: JobQueueTable, settings: PostgresJobSettings) {
    super({ pendingMax: POSTGRES_JOBS_MAX, ...options })
    this.#options = options
    this.#table = table
    this.#watch = new JobWatch(table, options.database.clock, settings)
    this.#ignore = table.onAnswer(() => this.#watch.look())
  }

  /**
   * Makes the tables where they are missing.
   *
   * @throws {VarveError} IO_FAILED, PERMISSION_DENIED, INCOMPATIBLE
   */
  static async open(options: PostgresSchedulerOptions): Promise<PostgresScheduler> {
    const settings = resolvePostgresJobSettings(options.settings)
    return new PostgresScheduler(options, await JobQueueTable.open(options.database, settings), settings)
  }

  override async close(): Promise<void> {
    await super.close()
    this.#ignore()
  }

  protected override async run(job: QueuedJob): Promise<JobResult> {
    // Cloned, as on the way to a thread: what is no data fails here.
    const spec = structuredClone(portableSpec(job.spec))
    const key = `${this.#options.shard}/${spec.id}/${spec.attempt}/${nonce(this.#options.random)}`
    const submission = this.#submitted.then(() => {
      if (job.signal.aborted) throw job.signal.reason
      return this.#table.submit(key, this.#options.shard, spec)
    })
    this.#submitted = submission.catch(() => undefined)
    try {
      await submission
    } catch (error) {
      // Where the database is away, or not for us any more: it was when this was opened. What may have been submitted is
      // swept away when nobody wants it.
      if (isCode(error, 'IO_FAILED', 'NO_SPACE', 'PERMISSION_DENIED', 'INCOMPATIBLE')) return this.runHere(job)
      throw error
    }
    const cancel = (): void => void this.#cancel(key)
    job.signal.addEventListener('abort', cancel, { once: true })
    if (job.signal.aborted) cancel()
    const outcome = await this.#watch.outcome(key, (fraction) => job.onProgress(fraction))
    job.signal.removeEventListener('abort', cancel)
    if (outcome.type === 'done') return decodeResult(outcome.bytes)
    if (outcome.type === 'failed')
      return this.failedElsewhere(job, decodeError(JSON.parse(new TextDecoder().decode(outcome.bytes))))
    if (outcome.type === 'silent')
      throw new Error('as many workers as may try have fallen silent over it, or come no further')
    if (outcome.type === 'cancelled') throw new VarveError('ABORTED', `job ${spec.id} was cancelled`)
    return this.runHere(job)
  }

  /** One that waits ends at once; one that is worked on, when its worker has heard of it or its lease has ended. */
  async #cancel(key: string): Promise<void> {
    try {
      if (!(await this.#table.takeBack(key))) await this.#table.cancel(key)
    } catch (error) {
      // The watch tells what becomes of it.
      if (!(error instanceof VarveError)) throw error
    }
    this.#watch.look()
  }
}
