/**
 * Keeps the process alive while somebody waits for a shard.
 *
 * Timers of the shard do not (kernel/clock.ts): one that is forgotten open must not keep a program from ending. But a
 * program that awaits a write, while all there is to come is another attempt at a failed flush, has not ended.
 */

import type { Clock, Timer } from '../kernel/clock.ts'

// It does nothing when it fires but begin again; the longest a timer can be.
const TIMER_MS = 2 ** 31 - 1

export class KeepAlive {
  readonly #clock: Clock
  #count = 0
  #timer: Timer | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  begin(): void {
    if (this.#count++ === 0) this.#start()
  }

  end(): void {
    if (--this.#count > 0) return
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #start(): void {
    this.#timer = this.#clock.after(TIMER_MS, () => this.#start(), { keepAlive: true })
  }
}
