/**
 * Shares one thread between its event loop and the jobs on it.
 *
 * Jobs that have used up their slice wait in line, one turn of the event loop each: however many jobs there are, the loop
 * is held for at most one slice at a time.
 */

import type { Clock } from '../kernel/clock.ts'

export class TimeSlices {
  readonly #clock: Clock
  /** Length of a slice, in milliseconds. */
  readonly sliceMs: number
  #lastTurn: Promise<void> = Promise.resolve()

  constructor(clock: Clock, sliceMs: number) {
    this.#clock = clock
    this.sliceMs = sliceMs
  }

  now(): number {
    return this.#clock.monotonic()
  }

  /** Resolves in a turn of the event loop that no other job of this thread was given. */
  turn(): Promise<void> {
    this.#lastTurn = this.#lastTurn.then(() => this.#clock.turn())
    return this.#lastTurn
  }
}
