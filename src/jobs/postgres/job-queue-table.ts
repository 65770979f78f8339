/** Jobs in a database, as shards submit them and workers take them. */

import { VarveError } from '../../kernel/errors.ts'
import type { PostgresDatabase } from '../../postgres/postgres-database.ts'
import { bytesOf, flagOf, integerOf, numberOf, optionalTextOf, textOf } from '../../postgres/sql-row.ts'
import type { JobSpec } from '../jobs.ts'
import type { WorkerOffer } from '../remote/worker-settings.ts'
import { encodeSpec } from '../wire/job-wire.ts'
import { workName } from '../wire/work-name.ts'
import { JOB_TABLES, STATE, jobStatements } from './job-statements.ts'
import type { JobStatements } from './job-statements.ts'
import type { PostgresJobSettings } from './settings.ts'

export interface WatchedJob {
  readonly key: string
  readonly progress: number
  /** What a worker answered. */
  readonly answer: { readonly done: boolean; readonly bytes: Uint8Array } | undefined
  /** Its lease has ended, and nobody gets another one. */
  readonly silent: boolean
  /** Its lease has ended: another worker may take it. */
  readonly lapsed: boolean
  /** It has waited long enough, and nobody who could take it is at work, or was a moment ago. */
  readonly lonely: boolean
}

/** Who asks: names that a worker has chosen. */
export interface PlaceLease {
  /** Of one job. */
  readonly lease: string
  /** The same for as long as the worker lives. */
  readonly place: string
}

export interface PulledJob {
  /** Encoded. */
  readonly spec: Uint8Array
  /** How often it has been pulled, this time included. */
  readonly tries: number
}

export class JobQueueTable {
  readonly #database: PostgresDatabase
  readonly #settings: PostgresJobSettings
  readonly #statements: JobStatements

  private constructor(database: PostgresDatabase, settings: PostgresJobSettings) {
    this.#database = database
    this.#settings = settings
    this.#statements = jobStatements({
      job: database.table('job'),
      turn: database.table('job_turn'),
      turns: `'${database.table('job_turns').replaceAll("'", "''")}'`,
      failing: database.table('job_failing'),
      place: database.table('job_place'),
    })
  }

  /** @throws {VarveError} IO_FAILED, PERMISSION_DENIED, INCOMPATIBLE */
  static async open(database: PostgresDatabase, settings: PostgresJobSettings): Promise<JobQueueTable> {
    await database.ensure(JOB_TABLES)
    return new JobQueueTable(database, settings)
  }

  /** Calls `notified` when there may be work, or some is not wanted any more. @returns ends it */
  onWork(notified: () => void): () => void {
    return this.#database.listen(this.#workChannel, notified)
  }

  /** Calls `notified` when there may be an answer. @returns ends it */
  onAnswer(notified: () => void): () => void {
    return this.#database.listen(this.#answerChannel, notified)
  }

  /** @throws {VarveError} JOB_FAILED — the same work has failed too often, and is not taken for a while; IO_FAILED, … */
  async submit(key: string, shard: string, spec: JobSpec): Promise<void> {
    const { memoryBytes, labels } = spec.requirements
    const { rows } = await this.#database.repeat(this.#statements.submit, [
      key,
      shard,
      workName(spec),
      spec.priority <= 0,
      spec.priority,
      memoryBytes,
      labels,
      encodeSpec(spec),
      this.#settings.orphanMs,
      this.#workChannel,
      spec.stuckMs ?? this.#settings.stuckMs,
    ])
    const quarantinedMs = rows[0] === undefined ? undefined : optionalTextOf(rows[0], 'left_ms')
    if (quarantinedMs === undefined) return
    throw new VarveError('JOB_FAILED', `the work of job ${spec.id} has failed too often: not for ${quarantinedMs} ms`, {
      details: { job: spec.id, attempt: spec.attempt, quarantinedMs: Number(quarantinedMs) },
    })
  }

  /**
   * Takes the job that is due; undefined: there is none. Made once: where the answer is lost, the lease ends by itself.
   *
   * @throws {SqlFailure}
   */
  async pull(
    { lease, place }: PlaceLease,
    { urgentOnly, memoryBytes, labels }: WorkerOffer,
  ): Promise<PulledJob | undefined> {
    const { leaseMs, triesMax, startMs } = this.#settings
    const values = [lease, urgentOnly, memoryBytes, labels, leaseMs, triesMax, place, startMs]
    const { rows } = await this.#database.query(this.#statements.pull, values)
    if (rows[0] === undefined) return undefined
    return { spec: bytesOf(rows[0], 'spec'), tries: integerOf(rows[0], 'tries') }
  }

  /** False: the lease has gone to another, or the job is not wanted any more. */
  async renew({ lease, place }: PlaceLease, progress: number): Promise<boolean> {
    const { rows } = await this.#database.repeat(this.#statements.renew, [
      lease,
      this.#settings.leaseMs,
      progress,
      place,
    ])
    return rows.length > 0
  }

  /**
   * What became of it. Not listened to where the lease has gone to another.
   *
   * @param how refused: a failure that says nothing about the work
   */
  async finish({ lease, place }: PlaceLease, how: 'done' | 'failed' | 'refused', answer: Uint8Array): Promise<void> {
    const state = how === 'done' ? STATE.done : STATE.failed
    const counted = how !== 'refused'
    const { startMs } = this.#settings
    const values = [lease, state, answer, ...this.#failing, this.#answerChannel, counted, place, startMs]
    await this.#database.repeat(this.#statements.finish, values)
  }

  async want(keys: readonly string[]): Promise<void> {
    await this.#database.repeat(this.#statements.want, [keys, this.#settings.orphanMs])
  }

  /** Those of `keys` that are there. */
  async watch(keys: readonly string[]): Promise<readonly WatchedJob[]> {
    const { triesMax, startMs } = this.#settings
    const { rows } = await this.#database.repeat(this.#statements.watch, [keys, triesMax, startMs])
    return rows.map((row) => {
      const state = integerOf(row, 'state')
      const answered = state === STATE.done || state === STATE.failed
      return {
        key: textOf(row, 'key'),
        progress: numberOf(row, 'progress'),
        answer: answered ? { done: state === STATE.done, bytes: bytesOf(row, 'answer') } : undefined,
        silent: optionalTextOf(row, 'silent') === 't',
        lapsed: optionalTextOf(row, 'lapsed') === 't',
        lonely: optionalTextOf(row, 'lonely') === 't',
      }
    })
  }

  /** Gives up a silent job; undefined: it is not silent any more. */
  async silence(key: string): Promise<{ readonly cancelled: boolean } | undefined> {
    const { triesMax } = this.#settings
    const { rows } = await this.#database.repeat(this.#statements.silence, [key, triesMax, ...this.#failing])
    return rows[0] === undefined ? undefined : { cancelled: flagOf(rows[0], 'cancelled') }
  }

  /** Takes a job out of the queue; false: somebody is at it, or it was taken out before. */
  async takeBack(key: string): Promise<boolean> {
    const { rows } = await this.#database.repeat(this.#statements.takeBack, [key])
    return rows.length > 0
  }

  /** Tells whoever is at it. */
  async cancel(key: string): Promise<void> {
    await this.#database.repeat(this.#statements.cancel, [key, this.#workChannel])
  }

  /** Tells workers that there is work. */
  async announce(): Promise<void> {
    await this.#database.repeat(this.#statements.announce, [this.#workChannel])
  }

  async forget(keys: readonly string[]): Promise<void> {
    await this.#database.repeat(this.#statements.forget, [keys])
  }

  async sweep(): Promise<void> {
    await this.#database.repeat(this.#statements.sweep, [])
  }

  get #failing(): readonly number[] {
    const { failuresMax, quarantineMs, quarantineMsMax } = this.#settings
    return [failuresMax, quarantineMs, quarantineMsMax]
  }

  get #workChannel(): string {
    return `varve_work ${this.#database.schema}`
  }

  get #answerChannel(): string {
    return `varve_answer ${this.#database.schema}`
  }
}
