/**
 * Lets the event loop turn while answers come without waiting for anything.
 *
 * A pull of a scan that finds all its bytes at hand, and a write that the journal takes at once, resolve without leaving
 * the microtasks; so a program that awaits them in a loop would keep timers and I/O waiting for as long as it goes on.
 * Whoever answers takes the pace first: after some milliseconds without a turn it is asked to wait for one. What is
 * measured is time since the last turn, whoever used it.
 */

import type { Clock } from './clock.ts'

// A third of the 10 ms that the main thread may be held for: one turn can see it twice, in answers of the pool and again
// in what waited for the turn, and collecting garbage comes on top. A turn costs about 3 µs, a thousandth of it.
const HOLD_MS_MAX = 3

export class Pace {
  readonly #clock: Clock
  /** The next turn, and when waiting for it began; undefined when nobody has pulled since the last one. */
  #turn: { readonly since: number; readonly passed: Promise<void> } | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** What to await before going on; undefined where there is no need. */
  take(): Promise<void> | undefined {
    const turn = this.#turn
    if (turn === undefined) {
      const passed = this.#clock.turn().then(() => void (this.#turn = undefined))
      this.#turn = { since: this.#clock.monotonic(), passed }
      return undefined
    }
    return this.#clock.monotonic() - turn.since < HOLD_MS_MAX ? undefined : turn.passed
  }
}
