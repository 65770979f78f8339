/** How far the worker has come that has a lease: one that says it is still at it, and comes no further, is stuck. */

import type { Clock } from '../kernel/clock.ts'

export class LeaseProgress {
  readonly #clock: Clock
  readonly #stuckMs: number
  #fraction = 0
  #movedMs: number

  constructor(clock: Clock, stuckMs: number) {
    this.#clock = clock
    this.#stuckMs = stuckMs
    this.#movedMs = clock.monotonic()
  }

  /** @returns whether it may go on */
  reach(fraction: number): boolean {
    const nowMs = this.#clock.monotonic()
    if (fraction > this.#fraction) {
      this.#fraction = fraction
      this.#movedMs = nowMs
    }
    return nowMs - this.#movedMs < this.#stuckMs
  }
}
