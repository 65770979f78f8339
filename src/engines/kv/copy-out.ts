/**
 * Copies for users: never a view of a block or of shared memory. They are Buffers, as Node programs expect of bytes that
 * they read (buffer-view.ts).
 *
 * Small copies are laid out one after the other in one buffer, so that a copy costs one object: with 16-byte keys and
 * 100-byte values 200 ns an entry, where `Buffer.allocUnsafe` for each took 300. Whoever keeps one small copy keeps a
 * buffer of POOL_BYTES.
 *
 * Such a buffer cannot be transferred to another thread: the copies beside the one that is meant would go with it, and
 * so would the room for those to come. Node marks its own pool likewise.
 */

import { markAsUntransferable } from 'node:worker_threads'
import { BufferView } from '../../kernel/buffer-view.ts'
import { KIB } from '../../kernel/limits.ts'

// Node's own pool has 8 KiB; twice that makes new buffers half as often.
const POOL_BYTES = 16 * KIB
// Larger copies have memory of their own: one of them never keeps more than four times its size.
const POOLED_BYTES_MAX = 4 * KIB
// Up to here copying words is faster than set(), which needs a view of its source as well.
const WORD_COPY_BYTES_MAX = 128
// Where a view of the source is at hand and none is made of the copy.
const WORD_PLACE_BYTES_MAX = 256

export class CopyOut {
  #bytes: Buffer<ArrayBuffer>
  #words: DataView
  /** Where the next copy goes: a multiple of 4. */
  #at = 0

  constructor() {
    this.#bytes = freshPool()
    this.#words = new DataView(this.#bytes.buffer)
  }

  /** A copy of block[start … start + length). */
  copy(block: Uint8Array, start: number, length: number): Uint8Array {
    if (length > POOLED_BYTES_MAX) {
      const copy = freshBytes(length)
      copy.set(block.subarray(start, start + length))
      return copy
    }
    const at = this.#reserve(length)
    this.#bytes.set(block.subarray(start, start + length), at)
    return new BufferView(this.#bytes.buffer, at, length)
  }

  /** As `copy`, where a view of all of `block` is at hand. */
  copyWords(block: Uint8Array, view: DataView, start: number, length: number): Uint8Array {
    // The last word may reach past what is copied, but not past the block.
    if (length > WORD_COPY_BYTES_MAX || start + length + 3 > view.byteLength) return this.copy(block, start, length)
    const at = this.#reserve(length)
    const words = this.#words
    for (let offset = 0; offset < length; offset += 4) words.setInt32(at + offset, view.getInt32(start + offset))
    return new BufferView(this.#bytes.buffer, at, length)
  }

  /**
   * Copies block[start … start + length), at most POOLED_BYTES_MAX, to where it is returned in `memory`, which is another
   * after the next copy: for who gives away parts of it.
   */
  place(block: Uint8Array, view: DataView, start: number, length: number): number {
    const at = this.#reserve(length)
    if (length > WORD_PLACE_BYTES_MAX || start + length + 3 > view.byteLength)
      this.#bytes.set(block.subarray(start, start + length), at)
    else {
      const words = this.#words
      for (let offset = 0; offset < length; offset += 4) words.setInt32(at + offset, view.getInt32(start + offset))
    }
    return at
  }

  get memory(): ArrayBuffer {
    return this.#bytes.buffer
  }

  #reserve(length: number): number {
    const at = this.#at
    const next = (at + length + 3) & ~3
    if (next <= POOL_BYTES) {
      this.#at = next
      return at
    }
    this.#bytes = freshPool()
    this.#words = new DataView(this.#bytes.buffer)
    this.#at = (length + 3) & ~3
    return 0
  }
}

function freshPool(): Buffer<ArrayBuffer> {
  const bytes = freshBytes(POOL_BYTES)
  markAsUntransferable(bytes.buffer)
  return bytes
}

/** Bytes with arbitrary content: zeroing them would cost as much as half of the copying. */
function freshBytes(length: number): Buffer<ArrayBuffer> {
  return Buffer.allocUnsafeSlow(length)
}
