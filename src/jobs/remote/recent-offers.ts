/**
 * What workers had room for, and when they last said so: one that is between two jobs is still at work for those who wait.
 */

import type { Clock } from '../../kernel/clock.ts'
import type { BrokeredJob } from './brokered-job.ts'
import { fits } from './job-choice.ts'
import type { WorkerOffer } from './worker-settings.ts'

interface SeenOffer {
  readonly offer: WorkerOffer
  readonly seenMs: number
}

export class RecentOffers {
  readonly #clock: Clock
  readonly #keptMs: number
  /** By content, the latest at the end: places of one kind make the same offer. */
  readonly #seen = new Map<string, SeenOffer>()

  constructor(clock: Clock, keptMs: number) {
    this.#clock = clock
    this.#keptMs = keptMs
  }

  see(offer: WorkerOffer): void {
    const nowMs = this.#clock.monotonic()
    const key = JSON.stringify([offer.urgentOnly, offer.memoryBytes, offer.labels, offer.shards])
    this.#seen.delete(key)
    this.#seen.set(key, { offer, seenMs: nowMs })
    for (const [oldest, { seenMs }] of this.#seen) {
      if (nowMs - seenMs < this.#keptMs) break
      this.#seen.delete(oldest)
    }
  }

  /** How much longer such an offer to `job` counts, in milliseconds; 0: there was none lately. */
  remainingMs(job: BrokeredJob): number {
    let latestMs = -Infinity
    for (const { offer, seenMs } of this.#seen.values()) if (fits(job, offer)) latestMs = Math.max(latestMs, seenMs)
    return Math.max(0, latestMs + this.#keptMs - this.#clock.monotonic())
  }
}
