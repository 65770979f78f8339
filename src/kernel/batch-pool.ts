/**
 * Entry batches between two uses. Making one takes as long as finding and copying out a hundred entries: it is eight
 * typed arrays outside the heap, which the garbage collector has to free one by one.
 */

import { EntryBatch } from './entry-batch.ts'
import { KIB } from './limits.ts'

// A merge takes one for each of its sources; a shard has about a dozen.
const KEPT_COUNT_MAX = 16
// Ten times what a batch begins with: one that long keys have grown is not worth keeping.
const KEPT_KEY_BYTES_MAX = 80 * KIB

/** For the merges of one thread. Nothing of it has to be closed. */
export class BatchPool {
  readonly #idle: EntryBatch[] = []

  /** An empty batch of the full capacity. */
  take(): EntryBatch {
    const batch = this.#idle.pop()
    if (batch === undefined) return new EntryBatch()
    batch.limitTo(batch.capacityMax)
    return batch
  }

  /** Takes back what `take` gave: nobody uses `batch`, nor what it was lent, any more. */
  give(batch: EntryBatch): void {
    batch.clear()
    if (this.#idle.length < KEPT_COUNT_MAX && batch.keys.length <= KEPT_KEY_BYTES_MAX) this.#idle.push(batch)
  }
}
