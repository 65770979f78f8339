/**
 * Fills what an awaited read lacks at once, while that does not block.
 *
 * Reading a cached block synchronously takes 2 µs, a round trip to the thread pool 31, and nothing tells beforehand
 * whether the operating system has the bytes. So it is measured: a fill that took long has probably waited for the disk,
 * and then none is tried for twenty times as long. Waiting for the disk thus takes at most a twentieth of the event
 * loop's time, one read at a time, and what is not in memory is mostly read by the pool, many at once.
 *
 * A store that can tell (`readNow`) needs none of this.
 */

import type { Clock } from '../../kernel/clock.ts'
import type { FileStoreSupport } from '../../fs/fs.ts'

// A cached block with checksum and decompression takes 10–20 µs, a read from a fast disk 80 and more.
const PROMPT_MS_MAX = 0.08
const PAUSE_FACTOR = 20
// Long enough for the asynchronous attempt to say what is wrong; should it be over before that, one more is in vain.
const FAILED_PAUSE_MS = 100

/** A cursor or a fetch. */
export interface Fillable {
  fillSync(): void
}

export class SyncFill {
  readonly #clock: Clock
  readonly #enabled: boolean
  #pausedUntilMs = -Infinity

  constructor(clock: Clock, supports: FileStoreSupport) {
    this.#clock = clock
    this.#enabled = supports.syncRead && !supports.readNow
  }

  /**
   * True when it was tried: ask again. False where it has to be awaited. Throws nothing: what is wrong with a store that
   * fails is left to the asynchronous attempt to tell.
   */
  try(lacking: Fillable): boolean {
    if (!this.#enabled) return false
    const startMs = this.#clock.monotonic()
    if (startMs < this.#pausedUntilMs) return false
    try {
      lacking.fillSync()
    } catch {
      this.#pausedUntilMs = startMs + FAILED_PAUSE_MS
      return true
    }
    const endMs = this.#clock.monotonic()
    if (endMs - startMs > PROMPT_MS_MAX) this.#pausedUntilMs = endMs + (endMs - startMs) * PAUSE_FACTOR
    return true
  }
}
