/** Batches that wait one behind the other, on one buffer, and one promise a rung for all who wait for them. */

import { Encoder } from '../kernel/codec.ts'
import { KIB } from '../kernel/limits.ts'
import type { Durability } from '../journal/journal.ts'
import { encodeBatch } from './group-codec.ts'
import { RungPromises } from './rung-promises.ts'
import type { Purpose } from './shard.ts'

// Large enough that a put that waits costs no buffer and no promise, small enough for one turn of a queue that is emptied.
export const RUN_BYTES_MAX = 64 * KIB

export class WriteRun extends RungPromises {
  readonly purpose: Purpose
  /** As in a group: of each batch the count of its operations, then the operations. */
  readonly #encoder = new Encoder(4 * KIB)

  constructor(purpose: Purpose) {
    super()
    this.purpose = purpose
  }

  get length(): number {
    return this.#encoder.length
  }

  /** A view, valid until the next `add`. */
  get batches(): Uint8Array {
    return this.#encoder.view()
  }

  /** Adds a batch, encoded at once: the caller may reuse its buffers. Where that fails, nothing is added. */
  add<Operation>(
    operations: readonly Operation[],
    durability: Durability,
    encode: (operation: Operation, into: Encoder) => void,
  ): Promise<void> {
    try {
      encodeBatch(operations, this.#encoder, encode)
    } catch (error) {
      return Promise.reject(error)
    }
    return this.promise(durability)
  }
}
