/**
 * Whoever waits for answers of jobs in a table, and sees to it that there will be some: it says that they are still wanted,
 * gives up those whose workers have fallen silent, and takes back those nobody asks for.
 *
 * Looks when it is notified, and now and then while anything is awaited; otherwise not at all.
 */

import type { Clock, Timer } from '../../kernel/clock.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { JobQueueTable, WatchedJob } from './job-queue-table.ts'
import type { PostgresJobSettings } from './settings.ts'

export type JobOutcome =
  | { readonly type: 'done' | 'failed'; readonly bytes: Uint8Array }
  | { readonly type: 'silent' | 'cancelled' }
  /** Nobody takes it, or the database is away. It may have been begun. */
  | { readonly type: 'not-begun' }

interface Awaited {
  readonly settle: (outcome: JobOutcome) => void
  readonly onProgress: (fraction: number) => void
}

export class JobWatch {
  readonly #table: JobQueueTable
  readonly #clock: Clock
  readonly #settings: PostgresJobSettings
  readonly #awaited = new Map<string, Awaited>()
  #timer: Timer | undefined
  #looking = false
  #lookAgain = false
  #wantedMs: number

  constructor(table: JobQueueTable, clock: Clock, settings: PostgresJobSettings) {
    this.#table = table
    this.#clock = clock
    this.#settings = settings
    this.#wantedMs = clock.monotonic()
  }

  /** Resolves when it is known what has become of a job that was submitted. */
  outcome(key: string, onProgress: (fraction: number) => void): Promise<JobOutcome> {
    return new Promise((settle) => {
      this.#awaited.set(key, { settle, onProgress })
      this.look()
    })
  }

  /** Something may have happened. */
  look(): void {
    if (this.#looking) this.#lookAgain = true
    else if (this.#awaited.size > 0) void this.#lookOnce()
  }

  async #lookOnce(): Promise<void> {
    this.#timer?.cancel()
    this.#looking = true
    this.#lookAgain = false
    const keys = [...this.#awaited.keys()]
    try {
      const now = this.#clock.monotonic()
      if (now - this.#wantedMs > this.#settings.orphanMs / 3) {
        this.#wantedMs = now
        await this.#table.want(keys)
      }
      const found = new Map((await this.#table.watch(keys)).map((job) => [job.key, job]))
      const answered: string[] = []
      for (const key of keys) {
        const job = found.get(key)
        const outcome = await this.#outcomeOf(key, job)
        if (outcome === undefined) continue
        if (job?.answer !== undefined) answered.push(key)
        this.#settle(key, outcome)
      }
      if (answered.length > 0) await this.#table.forget(answered)
    } catch (error) {
      // The database has been away for too long. What is still in it is swept away when nobody wants it any more.
      if (!(error instanceof VarveError)) throw error
      for (const key of keys) this.#settle(key, { type: 'not-begun' })
    }
    this.#looking = false
    if (this.#awaited.size === 0) return
    if (this.#lookAgain) this.look()
    else this.#timer = this.#clock.after(this.#settings.watchMs, () => this.look(), { keepAlive: true })
  }

  async #outcomeOf(key: string, job: WatchedJob | undefined): Promise<JobOutcome | undefined> {
    if (job === undefined) return { type: 'not-begun' }
    const { answer, progress, silent, lapsed, lonely } = job
    if (answer !== undefined) return { type: answer.done ? 'done' : 'failed', bytes: answer.bytes }
    this.#awaited.get(key)?.onProgress(progress)
    if (silent) {
      const silenced = await this.#table.silence(key)
      if (silenced !== undefined) return { type: silenced.cancelled ? 'cancelled' : 'silent' }
    }
    if (lonely && (await this.#table.takeBack(key))) return { type: 'not-begun' }
    // Nobody notifies of time that has passed.
    if (lapsed) await this.#table.announce()
    return undefined
  }

  #settle(key: string, outcome: JobOutcome): void {
    const awaited = this.#awaited.get(key)
    this.#awaited.delete(key)
    awaited?.settle(outcome)
  }
}
