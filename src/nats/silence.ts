/** How long nobody has answered, and when that is too long. */

import type { Clock, Timer } from '../kernel/clock.ts'

// A timer that is later than that: this process stood still, and has heard nothing for that reason.
const LATE_MS = 1_000

export class Silence {
  readonly #clock: Clock
  readonly #limitMs: number
  readonly #over: () => void
  #sinceMs: number
  #timer: Timer | undefined

  /**
   * @param sinceMs when was asked what nobody has answered
   * @param over called when it has lasted for `limitMs`, whatever is being tried. Not where this process stood still
   *   meanwhile: there `isOver` tells, after another try
   */
  constructor(clock: Clock, limitMs: number, sinceMs: number, over: () => void) {
    this.#clock = clock
    this.#limitMs = limitMs
    this.#over = over
    // Half of it is left to one that stood still before.
    this.#sinceMs = Math.max(sinceMs, clock.monotonic() - limitMs / 2)
    this.#begin()
  }

  get isOver(): boolean {
    return this.#clock.monotonic() - this.#sinceMs >= this.#limitMs
  }

  /** Somebody has answered. */
  broken(): void {
    this.end()
    this.#sinceMs = this.#clock.monotonic()
    this.#begin()
  }

  end(): void {
    this.#timer?.cancel()
  }

  #begin(): void {
    const endsMs = this.#sinceMs + this.#limitMs
    const now = this.#clock.monotonic()
    this.#timer = this.#clock.after(Math.max(0, endsMs - now), () => {
      if (this.#clock.monotonic() - endsMs < LATE_MS) this.#over()
    })
  }
}
