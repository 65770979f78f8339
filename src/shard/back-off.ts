/** Waiting before another attempt: twice as long each time, up to a minute. */

import type { Clock, Timer } from '../kernel/clock.ts'

const DELAY_MS_MAX = 60_000

export class BackOff {
  readonly #clock: Clock
  readonly #delayMsFirst: number
  #failures = 0
  #waiting: { readonly timer: Timer; readonly resume: () => void } | undefined

  constructor(clock: Clock, delayMsFirst: number) {
    this.#clock = clock
    this.#delayMsFirst = delayMsFirst
  }

  succeeded(): void {
    this.#failures = 0
  }

  /** Resolves when the next attempt is due, or `cancel` is called. */
  failed(): Promise<void> {
    const delayMs = Math.min(this.#delayMsFirst * 2 ** this.#failures, DELAY_MS_MAX)
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
