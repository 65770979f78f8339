/**
 * Memory for decoded blocks, handed out in order from larger pieces.
 *
 * A buffer for each block costs 4 µs of allocation and collection, more than reading and decoding it together. A piece
 * lives as long as any block in it: whoever keeps some of them for longer than their neighbours gives them other memory.
 *
 * A piece of which nobody has a part any more is used again, unless one was lent to somebody who does not say when: then it is the
 * collector's. Memory that is touched for the first time costs more than decoding what is put there.
 */

import type { Lease } from '../kernel/lease.ts'
import { KIB, MIB } from '../kernel/limits.ts'

// Some hundred blocks: so few pieces that their views stay in the processor's cache, where a view for every block is
// fetched from memory with nearly every get (of 3.2 µs, 0.3 were that).
const PIECE_BYTES_MAX = 1024 * KIB
// The first piece, and twice as much with each that follows: a small database takes little, and is opened and closed without
// making the garbage collector look for megabytes.
const PIECE_BYTES_FIRST = 64 * KIB
// Larger blocks would leave too much of a piece empty.
const SHARED_BYTES_MAX = 32 * KIB
const ALIGNMENT = 8

// Of pieces that are free. One is taken about when one becomes free, so that more would wait for nothing.
const FREE_BYTES_MAX = 2 * MIB

/** Bytes with the two views through which blocks are read: one pair for all blocks in it. */
export class BlockPiece implements Lease {
  /** All of the piece: a block starts at its offset in its buffer. */
  readonly bytes: Uint8Array
  /** Over the same bytes. */
  readonly view: DataView
  /** Told once nobody has a part of it. */
  readonly #whenFree: ((piece: BlockPiece) => void) | undefined
  /** Blocks in it that a cache keeps, whoever else has a part of it, and one for the memory that still hands out of it. */
  #usedCount = 0
  #lent = false

  /** @param whenFree told once nobody has a part of it, so that it can be used again */
  constructor(bytes: Uint8Array, whenFree?: (piece: BlockPiece) => void) {
    // A plain view: a Buffer among them would make every access to blocks polymorphic.
    this.bytes = bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#whenFree = whenFree
  }

  use(): void {
    this.#usedCount++
  }

  /** What is in it means nothing once everybody has left who used it, unless it was lent. */
  leave(): void {
    if (--this.#usedCount === 0 && !this.#lent) this.#whenFree?.(this)
  }

  /** Somebody has a part of it for longer than the call: it is never used again. */
  lend(): void {
    this.#lent = true
  }
}

/** One of a cache's kinds of memory. Nothing of it has to be freed: pieces are, as soon as nobody has a part of them. */
export class BlockMemory {
  readonly #sharedBytesMax: number
  readonly #pieceBytesMax: number
  #piece = new BlockPiece(new Uint8Array(0))
  readonly #free: BlockPiece[] = []
  #freeBytes = 0
  #at = 0
  #lent: Uint8Array = new Uint8Array(0)

  /** @param sharedBytesMax blocks over this size have memory of their own */
  constructor(sharedBytesMax: number = SHARED_BYTES_MAX, pieceBytesMax: number = PIECE_BYTES_MAX) {
    this.#sharedBytesMax = sharedBytesMax
    this.#pieceBytesMax = pieceBytesMax
  }

  /** `length` bytes, aligned to 8, that nobody else has. Their content means nothing. */
  take(length: number): Uint8Array {
    if (length > this.#sharedBytesMax) return unfilled(length)
    if (this.#at + length > this.#piece.bytes.length) this.#nextPiece(length)
    const bytes = this.#piece.bytes.subarray(this.#at, this.#at + length)
    this.#at += Math.ceil(length / ALIGNMENT) * ALIGNMENT
    return bytes
  }

  /** Where `bytes` are: the piece they were just taken of, or one of their own. They start at their offset in its buffer. */
  pieceOf(bytes: Uint8Array): BlockPiece {
    return bytes.buffer === this.#piece.bytes.buffer ? this.#piece : new BlockPiece(bytes)
  }

  #nextPiece(length: number): void {
    const before = this.#piece
    const free = this.#free.at(-1)
    if (free !== undefined && free.bytes.length >= length) {
      this.#free.pop()
      this.#freeBytes -= free.bytes.length
      this.#piece = free
    } else {
      // Not filled with zeros first: whoever takes of it fills all he takes.
      const pieceBytes = Math.min(this.#pieceBytesMax, Math.max(PIECE_BYTES_FIRST, before.bytes.length * 2))
      this.#piece = new BlockPiece(unfilled(Math.max(pieceBytes, length)), this.#whenFree)
    }
    this.#piece.use()
    this.#at = 0
    before.leave()
  }

  readonly #whenFree = (piece: BlockPiece): void => {
    if (this.#freeBytes + piece.bytes.length > FREE_BYTES_MAX) return
    this.#freeBytes += piece.bytes.length
    this.#free.push(piece)
  }

  /** At least `length` bytes until the next call. Their content means nothing. */
  lend(length: number): Uint8Array {
    if (this.#lent.length < length) {
      if (length > SHARED_BYTES_MAX) return new Uint8Array(length)
      this.#lent = new Uint8Array(SHARED_BYTES_MAX)
    }
    return this.#lent
  }
}

/** Not filled with zeros first, which takes as long as reading: whoever asks fills all of it. */
function unfilled(length: number): Uint8Array {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(length)
  return new Uint8Array(buffer, byteOffset, length)
}
