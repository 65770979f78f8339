/**
 * Memory for decoded blocks, handed out in order from larger pieces.
 *
 * A buffer for each block costs 4 µs of allocation and collection, more than reading and decoding it together. A piece
 * lives as long as any block in it: whoever keeps some of them for longer than their neighbours gives them other memory.
 */

import { KIB } from '../kernel/limits.ts'

// Some thirty blocks: enough to share the cost, few enough that what a slow reader holds of evicted ones does not count.
const PIECE_BYTES = 256 * KIB
// Larger blocks would leave too much of a piece empty.
const SHARED_BYTES_MAX = 32 * KIB
const ALIGNMENT = 8

export class BlockMemory {
  #piece: ArrayBufferLike = new ArrayBuffer(0)
  #at = 0

  /** `length` bytes, aligned to 8, that nobody else has. Their content means nothing. */
  take(length: number): Uint8Array {
    if (length > SHARED_BYTES_MAX) return new Uint8Array(length)
    if (this.#at + length > this.#piece.byteLength) {
      // Not filled with zeros first: whoever takes of it fills all he takes.
      this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES).buffer
      this.#at = 0
    }
    const bytes = new Uint8Array(this.#piece, this.#at, length)
    this.#at += Math.ceil(length / ALIGNMENT) * ALIGNMENT
    return bytes
  }
}
