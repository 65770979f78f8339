/** Batches of abstract-level: in one call, or put together in many. */

import { AbstractChainedBatch } from 'abstract-level'
import type { KvOperation } from '../kv/kv.ts'
import { toBytes, toOwn } from './encoded-data.ts'
import type { EncodedData } from './encoded-data.ts'
import type { LevelWriteOptions } from './level.ts'

export type BatchOperation =
  | { readonly type: 'put'; readonly key: EncodedData; readonly value: EncodedData }
  | { readonly type: 'del'; readonly key: EncodedData }

/** Bytes are still the caller's. */
export function toKvOperation(operation: BatchOperation): KvOperation {
  const key = toBytes(operation.key)
  return operation.type === 'put' ? { type: 'put', key, value: toBytes(operation.value) } : { type: 'delete', key }
}

const ChainedBase = AbstractChainedBatch as unknown as new (db: unknown) => object

/**
 * Copies each operation when it is added, as classic-level does: whoever fills a buffer anew for every one may go on.
 * abstract-level's own keeps what it was given until `write()`.
 */
export class CopyingChainedBatch extends ChainedBase {
  readonly #apply: (operations: readonly BatchOperation[], options: LevelWriteOptions) => Promise<void>
  #operations: BatchOperation[] = []

  constructor(
    db: unknown,
    apply: (operations: readonly BatchOperation[], options: LevelWriteOptions) => Promise<void>,
  ) {
    super(db)
    this.#apply = apply
  }

  _put(key: EncodedData, value: EncodedData): void {
    this.#operations.push({ type: 'put', key: toOwn(key), value: toOwn(value) })
  }

  _del(key: EncodedData): void {
    this.#operations.push({ type: 'del', key: toOwn(key) })
  }

  _clear(): void {
    this.#operations = []
  }

  _write(options: LevelWriteOptions): Promise<void> {
    return this.#apply(this.#operations, options)
  }

  _close(): Promise<void> {
    this.#operations = []
    return Promise.resolve()
  }
}
