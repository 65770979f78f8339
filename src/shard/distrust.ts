/**
 * Workers elsewhere whose answers the shard did not take, several times in a row: they are not asked for a while, and local work
 * takes over. Who is asked again after that, and is wrong again, is not asked for twice as long.
 *
 * Of one worker among several, that three answers in a row are its own is unlikely, and what it got wrong another gets next.
 */

import type { Clock } from '../kernel/clock.ts'

// One may be a file that is not to be seen yet, two a coincidence: as with work that fails.
const REJECTIONS_MAX = 3
const DISTRUST_MS = 10_000
const DISTRUST_MS_MAX = 600_000

export class Distrust {
  readonly #clock: Clock
  #inRow = 0
  #untilMs = -Infinity
  /** Since the shard was opened. */
  rejections = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** They are not to be asked now. */
  get active(): boolean {
    return this.#clock.monotonic() < this.#untilMs
  }

  /** Answers were put in. */
  accepted(): void {
    this.#inRow = 0
  }

  /** An answer was wrong. */
  rejected(): void {
    this.#inRow++
    this.rejections++
    const over = this.#inRow - REJECTIONS_MAX
    if (over < 0) return
    this.#untilMs = this.#clock.monotonic() + Math.min(DISTRUST_MS_MAX, DISTRUST_MS * 2 ** Math.min(over, 30))
  }
}
