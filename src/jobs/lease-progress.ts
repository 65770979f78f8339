/** How far the worker has come that has a lease: one that says it is still at it, and comes no further, is stuck. */

import type { Clock } from '../kernel/clock.ts'

/** Of one lease. */
export class LeaseProgress {
  readonly #clock: Clock
  readonly #stuckMs: number
  #fraction = 0
  #movedMs: number

  /** @param stuckMs it may come no further for so long, in milliseconds */
  constructor(clock: Clock, stuckMs: number) {
    this.#clock = clock
    this.#stuckMs = stuckMs
    this.#movedMs = clock.monotonic()
  }

  /** The worker has come to `fraction`, 0 … 1. @returns whether it may go on */
  reach(fraction: number): boolean {
    const nowMs = this.#clock.monotonic()
    if (fraction > this.#fraction) {
      this.#fraction = fraction
      this.#movedMs = nowMs
    }
    return nowMs - this.#movedMs < this.#stuckMs
  }
}
