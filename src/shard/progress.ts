/** Who waits for a shard to get on: for writes to become visible, for a flush, for its turn among queued writes. */

import { Deferred } from './deferred.ts'
import type { KeepAlive } from './keep-alive.ts'

export class Progress {
  readonly #keepAlive: KeepAlive
  /** Nobody waits most of the time. */
  #next: Deferred<void> | undefined

  constructor(keepAlive: KeepAlive) {
    this.#keepAlive = keepAlive
  }

  /** Something has happened: whoever waits looks again. */
  wake(): void {
    const next = this.#next
    if (next === undefined) return
    this.#next = undefined
    next.resolve()
  }

  /** Resolves at the next `wake`. */
  async moved(): Promise<void> {
    this.#keepAlive.begin()
    try {
      await (this.#next ??= new Deferred<void>()).promise
    } finally {
      this.#keepAlive.end()
    }
  }

  /** Waits until `done`; `check` is asked before each wait, and throws where there is nothing to wait for. */
  async until(done: () => boolean, check: () => void): Promise<void> {
    while (!done()) {
      check()
      await this.moved()
    }
  }
}
