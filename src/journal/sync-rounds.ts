/** Group commit of syncs: whoever waits while one sync runs shares the next. At most one runs. */

import type { Deferred } from './deferred.ts'

export class SyncRounds {
  readonly #run: () => Promise<void>
  #waiting: Deferred[] = []
  #round: Deferred[] = []
  #running = false
  #done: Promise<void> = Promise.resolve()

  /** @param run makes everything written so far durable; handles its failures by calling `reject` */
  constructor(run: () => Promise<void>) {
    this.#run = run
  }

  /** Resolves `waiter` when a sync that begins now or later is done. */
  join(waiter: Deferred): void {
    this.#waiting.push(waiter)
    if (!this.#running) this.#done = this.#loop()
  }

  /** Resolves when nobody waits. */
  idle(): Promise<void> {
    return this.#done
  }

  reject(reason: unknown): void {
    for (const waiter of this.#round) waiter.reject(reason)
    for (const waiter of this.#waiting) waiter.reject(reason)
    this.#round = []
    this.#waiting = []
  }

  async #loop(): Promise<void> {
    this.#running = true
    while (this.#waiting.length > 0) {
      this.#round = this.#waiting
      this.#waiting = []
      await this.#run()
      const done = this.#round
      this.#round = []
      for (const waiter of done) waiter.resolve()
    }
    this.#running = false
  }
}
