/** Waiting before another attempt: twice as long each time, up to a minute, or to what is given. */

import type { Clock, Timer } from '../kernel/clock.ts'

const DELAY_MS_MAX = 60_000
// Once may be chance, and time also passes while a process is stopped.
const FAILURES_MIN = 3

export class BackOff {
  readonly #clock: Clock
  readonly #delayMsFirst: number
  readonly #delayMsMax: number
  #failures = 0
  /** Since when nothing has succeeded, and why not the last time. */
  #failing: { readonly sinceMs: number; readonly reason: Error } | undefined
  /** Whether it was begun anew since the last success. */
  #renewed = false
  #waiting: { readonly timer: Timer; readonly resume: () => void } | undefined

  constructor(clock: Clock, delayMsFirst: number, delayMsMax = DELAY_MS_MAX) {
    this.#clock = clock
    this.#delayMsFirst = delayMsFirst
    this.#delayMsMax = delayMsMax
  }

  succeeded(): void {
    this.#failures = 0
    this.#failing = undefined
    this.#renewed = false
  }

  /**
   * What made attempts fail is said to be over: the next one is due, and they are counted anew. Once, until one succeeds:
   * where it is said again and again and they fail all the same, that counts.
   */
  renew(): void {
    if (!this.#renewed) this.succeeded()
    this.#renewed = true
    this.cancel()
  }

  /** Why the last attempt failed, where some have, for `ms` milliseconds, and none succeeded; also while one is under way. */
  failingFor(ms: number): Error | undefined {
    const failing = this.#failing
    if (failing === undefined || this.#failures < FAILURES_MIN) return undefined
    return this.#clock.monotonic() - failing.sinceMs >= ms ? failing.reason : undefined
  }

  /** Resolves when the next attempt is due, or `cancel` is called. */
  failed(reason: Error): Promise<void> {
    this.#failing = { sinceMs: this.#failing?.sinceMs ?? this.#clock.monotonic(), reason }
    const delayMs = Math.min(this.#delayMsFirst * 2 ** this.#failures, this.#delayMsMax)
    this.#failures = Math.min(this.#failures + 1, 20)
    return new Promise((resume) => {
      this.#waiting = { timer: this.#clock.after(delayMs, resume), resume }
    })
  }

  /** Ends the wait early. */
  cancel(): void {
    this.#waiting?.timer.cancel()
    this.#waiting?.resume()
  }
}
