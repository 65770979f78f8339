/** Finished bytes of a file on their way into its writer: small pieces are gathered, so that writes are few. */

import { assert } from '../kernel/assert.ts'
import { KIB } from '../kernel/limits.ts'
import type { FileWriter } from '../fs/fs.ts'

// Large enough that a write costs little beside its bytes, small enough to give memory back soon.
const CHUNK_BYTES = 256 * KIB
// The first is for a table that is small as a whole; each is then twice as large as the one before.
const FIRST_CHUNK_BYTES = 8 * KIB

// Jobs have four of them wait before they are written. With one that was used again, the merging thread of a fill with values of
// 16 KiB marked its heap 43 times, with four 12.
const SPARES_MAX = 4

export class OutputQueue {
  readonly #sink: FileWriter
  #chunks: Uint8Array[] = []
  /** Being filled; the last in order. */
  #open: Uint8Array | undefined = undefined
  #openBytes = 0
  #nextChunkBytes = FIRST_CHUNK_BYTES
  /** Chunks that have been written, to be filled again. */
  readonly #spares: Uint8Array[] = []
  #draining: Promise<void> | undefined = undefined
  /** Bytes taken in so far. */
  bytes = 0
  /** Bytes taken in and not yet handed on. */
  pendingBytes = 0

  constructor(sink: FileWriter) {
    this.#sink = sink
  }

  /** Copies `bytes`, except large ones that are the caller's to give (`owned`). */
  push(bytes: Uint8Array, owned: boolean): void {
    this.bytes += bytes.length
    this.pendingBytes += bytes.length
    if (bytes.length >= CHUNK_BYTES) {
      this.#seal()
      this.#chunks.push(owned ? bytes : Uint8Array.from(bytes))
      return
    }
    if (this.#open !== undefined && this.#openBytes + bytes.length > this.#open.length) this.#seal()
    if (this.#open === undefined) {
      this.#open = this.#chunkFor(bytes.length)
      this.#openBytes = 0
    }
    this.#open.set(bytes, this.#openBytes)
    this.#openBytes += bytes.length
  }

  /** Hands on everything taken in before the call, and perhaps more. Calls may overlap. */
  async drain(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining
    if (this.pendingBytes === 0) return
    this.#draining = this.#write()
    try {
      await this.#draining
    } finally {
      this.#draining = undefined
    }
  }

  /** Forgets what has not been handed on. */
  discard(): void {
    this.#chunks = []
    this.#open = undefined
    this.pendingBytes = 0
  }

  async #write(): Promise<void> {
    this.#seal()
    for (let chunk = this.#chunks.shift(); chunk !== undefined; chunk = this.#chunks.shift()) {
      await this.#sink.write(chunk)
      this.pendingBytes = Math.max(0, this.pendingBytes - chunk.length)
      const isWhole = chunk.buffer.byteLength === CHUNK_BYTES && chunk.byteOffset === 0
      if (isWhole && this.#spares.length < SPARES_MAX) this.#spares.push(new Uint8Array(chunk.buffer))
    }
  }

  #chunkFor(bytes: number): Uint8Array {
    const spare = this.#spares.pop()
    if (spare !== undefined) return spare
    while (this.#nextChunkBytes < bytes) this.#nextChunkBytes *= 2
    const chunk = new Uint8Array(this.#nextChunkBytes)
    this.#nextChunkBytes = Math.min(CHUNK_BYTES, 2 * this.#nextChunkBytes)
    return chunk
  }

  #seal(): void {
    if (this.#open === undefined) return
    assert(this.#openBytes > 0, 'an open chunk is empty')
    this.#chunks.push(this.#open.subarray(0, this.#openBytes))
    this.#open = undefined
  }
}
