/**
 * Keys and values of the next operations, made while the clock stands still.
 *
 * One slab each, written over for the next chunk: making operations leaves no garbage that a peer would have to collect
 * during its measurement. A chunk may be filled again when every operation on it has settled.
 */

import { KEY_BYTES, writeKey, writeMissingKey } from './keys.ts'
import type { Values } from './values.ts'

const OPERATIONS_MAX = 8192
/** Large values come in smaller chunks, so that they stay in the processor's cache a little. */
const VALUE_BYTES_MAX = 4 * 1024 * 1024

export class Chunk {
  readonly size: number
  readonly keys: readonly Buffer[]
  readonly values: readonly Buffer[]
  /** Key index of each operation. */
  readonly indexes: Uint32Array
  readonly #values: Values

  constructor(values: Values, size: number = OPERATIONS_MAX) {
    this.size = Math.max(1, Math.min(size, OPERATIONS_MAX, Math.floor(VALUE_BYTES_MAX / values.bytes)))
    this.#values = values
    this.keys = views(this.size, KEY_BYTES)
    this.values = views(this.size, values.bytes)
    this.indexes = new Uint32Array(this.size)
  }

  setKey(at: number, index: number): void {
    writeKey(index, this.keys[at] as Buffer)
    this.indexes[at] = index
  }

  setMissingKey(at: number, index: number): void {
    writeMissingKey(index, this.keys[at] as Buffer)
    this.indexes[at] = index
  }

  setEntry(at: number, index: number, version: number): void {
    this.setKey(at, index)
    this.#values.write(index, version, this.values[at] as Buffer)
  }
}

function views(count: number, bytes: number): readonly Buffer[] {
  const slab = Buffer.alloc(count * bytes)
  return Array.from({ length: count }, (_, at) => slab.subarray(at * bytes, (at + 1) * bytes))
}
