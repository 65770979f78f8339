/** Passes on what a handler says of its progress, seldom enough to cost nothing, and never forgets what it said last. */

import type { Clock, Timer } from '../kernel/clock.ts'

export class ProgressReporter {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #send: (fraction: number) => void
  #latest = 0
  #timer: Timer | undefined

  /** @param intervalMs least time between two calls of `send` */
  constructor(clock: Clock, intervalMs: number, send: (fraction: number) => void) {
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#send = send
  }

  readonly onProgress = (fraction: number): void => {
    this.#latest = fraction
    if (this.#timer === undefined) this.#report()
  }

  /** Sends nothing any more. */
  close(): void {
    this.#timer?.cancel()
  }

  #report(): void {
    const sent = this.#latest
    this.#send(sent)
    this.#timer = this.#clock.after(this.#intervalMs, () => {
      this.#timer = undefined
      if (this.#latest !== sent) this.#report()
    })
  }
}
