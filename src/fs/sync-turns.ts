/**
 * Syncs of one open file, one at a time.
 *
 * Whoever asks while one runs shares the next, which covers all that was written before it began. After a failure there
 * is no next one. Linux tells of a failed write-back once per handle, so of two syncs at once one would fail and the
 * other succeed, and so would one that is tried again, though the pages are gone (PostgreSQL's lesson of 2018).
 */

export class SyncTurns {
  readonly #sync: () => Promise<void>
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(sync: () => Promise<void>) {
    this.#sync = sync
  }

  /** Resolves when a sync that began now or later is done; rejects for ever once one has failed. */
  join(): Promise<void> {
    if (this.#next !== undefined) return this.#next
    if (this.#running === undefined) return this.#start()
    // A rejection passes through, and the failed promise stays.
    this.#next = this.#running.then(() => {
      this.#next = undefined
      return this.#start()
    })
    return this.#next
  }

  #start(): Promise<void> {
    this.#running = this.#sync().then(() => {
      this.#running = undefined
    })
    return this.#running
  }
}
