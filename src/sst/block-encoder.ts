/** Compression of the blocks of one table, in memory that is used again for each. */

import { copyRange } from '../kernel/bytes.ts'
import type { Lz4 } from '../kernel/lz4.ts'
import { COMPRESSED_BLOCK_BYTES_MAX, LENGTH_BYTES, encodeStored, isWorthDecoding } from './block-codec.ts'
import type { BlockCodecName } from './block-codec.ts'

const MEMORY_BYTES_FIRST = 16 * 1024

export class BlockEncoder {
  readonly #codec: BlockCodecName
  readonly #lz4: Lz4 | undefined
  #memory = new Uint8Array(0)

  /** @param lz4 default: `lz4-napi`, which makes a buffer for each block */
  constructor(codec: BlockCodecName, lz4: Lz4 | undefined) {
    this.#codec = codec
    this.#lz4 = lz4
  }

  /** What `encodeStored` says, as bytes that the next call may write over. */
  encode(framed: Uint8Array): Uint8Array {
    if (this.#lz4 === undefined || this.#codec === 'none' || framed.length > COMPRESSED_BLOCK_BYTES_MAX)
      return encodeStored(this.#codec, framed)
    // What does not fit is not worth decoding.
    if (this.#memory.length < framed.length)
      this.#memory = new Uint8Array(Math.max(MEMORY_BYTES_FIRST, 2 ** Math.ceil(Math.log2(framed.length))))
    const memory = this.#memory
    const length = this.#lz4.encode(framed, LENGTH_BYTES, framed.length, memory, LENGTH_BYTES)
    if (length === 0 || !isWorthDecoding(LENGTH_BYTES + length, framed.length)) return framed
    // A stored block begins with the length of what is packed, as `framed` does.
    copyRange(framed, 0, LENGTH_BYTES, memory, 0)
    return memory.subarray(0, LENGTH_BYTES + length)
  }
}
