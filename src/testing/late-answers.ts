/**
 * Answers that come late and overtake each other, by chance from a seed: some turns of the event loop pass before a call
 * is handed on, and some more before its answer is.
 */

import type { Clock } from '../kernel/clock.ts'
import type { CallInterceptor, StoreCall } from '../fs/store-call.ts'
import type { SeededRandom } from './seeded-random.ts'

/** How late, by what chance. */
export interface LateAnswersOptions {
  /** Decides; the same seed and the same calls, the same delays. */
  readonly random: SeededRandom
  /** Only its turns are used. */
  readonly clock: Clock
  /** Turns of the event loop at most, on the way there and again on the way back. Default 3. */
  readonly turnsMax?: number
}

/** Holds calls back on their way there, and answers on their way back. For `InterceptedFileStore` and its like. */
export class LateAnswers implements CallInterceptor {
  readonly #random: SeededRandom
  readonly #clock: Clock
  readonly #turnsMax: number

  constructor({ random, clock, turnsMax = 3 }: LateAnswersOptions) {
    this.#random = random
    this.#clock = clock
    this.#turnsMax = turnsMax
  }

  async run<T>(_call: StoreCall, proceed: () => Promise<T>): Promise<T> {
    return this.around(proceed)
  }

  /** A synchronous answer cannot be late. */
  runSync<T>(_call: StoreCall, proceed: () => T): T {
    return proceed()
  }

  /** `work`, begun late and answered late, a failure too. */
  async around<T>(work: () => Promise<T>): Promise<T> {
    await this.pass()
    try {
      return await work()
    } finally {
      await this.pass()
    }
  }

  /** Some turns, or none. */
  async pass(): Promise<void> {
    for (let left = this.#random.below(this.#turnsMax + 1); left > 0; left--) await this.#clock.turn()
  }
}
