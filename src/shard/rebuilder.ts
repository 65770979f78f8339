/**
 * Goes on after an append that was refused: until the memtables have been made anew from the journal, writes are held.
 *
 * A journal elsewhere may not let anybody read it either, for as long as its login is locked, say. That is tried again, and
 * whoever waits hears why.
 */

import type { Clock } from '../kernel/clock.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import { BackOff } from './back-off.ts'

/** What is done of it by the shard around. */
export interface RebuildHost {
  /** Makes them anew, and lets the writes go on. */
  rebuild(): Promise<void>
  /** It has failed and will be tried again later: who waits for it hears now, from `stalledBy`, why. */
  stalled(error: unknown): void
  /** The shard can take no more writes. A log that cannot be read may be the work of another owner. */
  failed(error: VarveError): void | Promise<void>
}

// An attempt costs one login or less, and whoever has unlocked it will not wait for long.
const DELAY_MS_MAX = 5_000

export class Rebuilder {
  readonly #host: RebuildHost
  readonly #backOff: BackOff
  #running: Promise<void> | undefined
  #stopped = false
  /** Why there is a pause before the next attempt. */
  stalledBy: Error | undefined

  constructor(clock: Clock, retryDelayMs: number, host: RebuildHost) {
    this.#host = host
    this.#backOff = new BackOff(clock, retryDelayMs, DELAY_MS_MAX)
  }

  get running(): boolean {
    return this.#running !== undefined
  }

  /** @param first done before */
  begin(first: Promise<void>): void {
    const running = this.#run(first).finally(() => {
      // Another append may have been refused as soon as writes went on.
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
  }

  /** Why it has failed for `ms` milliseconds. */
  failingFor(ms: number): Error | undefined {
    return this.#backOff.failingFor(ms)
  }

  /** Does not try again; resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#backOff.cancel()
    await this.#running
  }

  async #run(first: Promise<void>): Promise<void> {
    await first
    while (!this.#stopped) {
      try {
        await this.#host.rebuild()
        this.#backOff.succeeded()
        return
      } catch (cause) {
        if (!isCode(cause, 'IO_FAILED', 'PERMISSION_DENIED')) {
          const reason = 'the memtable could not be rebuilt after a write that was refused: reopen the shard'
          await this.#host.failed(new VarveError('POISONED', reason, { cause }))
          return
        }
        this.stalledBy = cause
        const pause = this.#backOff.failed(cause)
        this.#host.stalled(cause)
        await pause
        this.stalledBy = undefined
      }
    }
  }
}
