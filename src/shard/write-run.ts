/** Batches that wait one behind the other, on one buffer, and one promise a rung for all who wait for them. */

import { Encoder } from '../kernel/codec.ts'
import { KIB } from '../kernel/limits.ts'
import type { Durability } from '../journal/journal.ts'
import { Deferred } from './deferred.ts'
import { encodeBatch } from './group-codec.ts'
import type { Purpose } from './shard.ts'
import type { WriteGroup } from './write-group.ts'

export class WriteRun {
  readonly purpose: Purpose
  /** As in a group: of each batch the count of its operations, then the operations. */
  readonly #encoder = new Encoder(4 * KIB)
  #written: Deferred<void> | undefined
  #synced: Deferred<void> | undefined

  constructor(purpose: Purpose) {
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
    const rung = durability === 'written' ? (this.#written ??= new Deferred()) : (this.#synced ??= new Deferred())
    return rung.promise
  }

  /** What becomes of `group`, which the batches are in now, becomes of them. */
  follow(group: WriteGroup): void {
    if (this.#written !== undefined) group.promise('written').then(this.#written.resolve, this.#written.reject)
    if (this.#synced !== undefined) group.promise('synced').then(this.#synced.resolve, this.#synced.reject)
  }

  reject(reason: unknown): void {
    this.#written?.reject(reason)
    this.#synced?.reject(reason)
  }
}
