/** A clock that stands until it is moved, and timers that fire when it passes them. */

import type { Clock, Timer } from '../kernel/clock.ts'

// Captured at load: a simulation may replace the global one by something that throws.
const nextTurn = setImmediate

interface Waiting {
  readonly at: number
  readonly order: number
  readonly task: () => void
}

/** Time that only a test moves. `turn` lets real turns of the event loop pass. */
export class SimulatedClock implements Clock {
  #now: number
  #monotonic = 0
  #orderNext = 0
  readonly #waiting = new Set<Waiting>()

  /** @param startMs of the wall clock, in milliseconds since 1970 */
  constructor(startMs: number = 1_700_000_000_000) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#monotonic
  }

  after(delayMs: number, task: () => void): Timer {
    const waiting = { at: this.#monotonic + delayMs, order: this.#orderNext++, task }
    this.#waiting.add(waiting)
    return { cancel: () => void this.#waiting.delete(waiting) }
  }

  turn(): Promise<void> {
    return new Promise((resolve) => nextTurn(resolve))
  }

  /** Timers that have not fired. */
  get pending(): number {
    return this.#waiting.size
  }

  /** Moves both clocks on and fires what is due, in order of time, then of registration. */
  advance(ms: number): void {
    const until = this.#monotonic + ms
    for (;;) {
      const due = [...this.#waiting]
        .filter((each) => each.at <= until)
        .sort((a, b) => a.at - b.at || a.order - b.order)[0]
      if (due === undefined) break
      this.#waiting.delete(due)
      this.#now += due.at - this.#monotonic
      this.#monotonic = due.at
      due.task()
    }
    this.#now += until - this.#monotonic
    this.#monotonic = until
  }

  /** The wall clock jumps; the monotonic one does not notice. */
  jump(ms: number): void {
    this.#now += ms
  }
}
