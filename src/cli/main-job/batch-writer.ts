/** Collects operations into batches and keeps a few of them on their way. */

import type { KvKeyOperation } from '../../engines/kv/kv.ts'
import type { KvShard } from '../../engines/kv/kv-shard.ts'

// Large enough to amortise a batch, small enough that a batch never waits long for its data.
const BATCH_BYTES = 1024 * 1024
const BATCH_OPERATIONS = 256
// Below what the shard would queue while it waits for compaction, whatever the size of the values.
const BATCHES_MAX = 4

export class BatchWriter {
  readonly #shard: KvShard
  readonly #running = new Set<Promise<void>>()
  #operations: KvKeyOperation[] = []
  #bytes = 0
  #failure: { readonly error: unknown } | undefined
  /** Bytes of keys and values given so far. */
  userBytes = 0

  constructor(shard: KvShard) {
    this.#shard = shard
  }

  /** Adds operations that stay together in one batch; waits while too many batches are on their way. */
  async add(operations: readonly KvKeyOperation[]): Promise<void> {
    for (const operation of operations) {
      this.#operations.push(operation)
      this.#bytes += operation.key.length + (operation.type === 'put' ? operation.value.length : 0)
    }
    if (this.#bytes >= BATCH_BYTES || this.#operations.length >= BATCH_OPERATIONS) this.#send()
    while (this.#running.size >= BATCHES_MAX) await Promise.race(this.#running)
    this.#throwFailure()
  }

  /** Resolves when everything added has been written. */
  async finish(): Promise<void> {
    this.#send()
    await Promise.all(this.#running)
    this.#throwFailure()
  }

  #send(): void {
    if (this.#operations.length === 0) return
    const batch: Promise<void> = this.#shard
      .batch(this.#operations)
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => {
        this.#running.delete(batch)
      })
    this.#running.add(batch)
    this.userBytes += this.#bytes
    this.#operations = []
    this.#bytes = 0
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
