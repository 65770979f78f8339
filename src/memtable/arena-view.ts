/**
 * Addresses in arena chunks.
 *
 *      address (u31) = chunk index × (chunkBytes / 8) + offset in the chunk / 8
 *
 * An address counts eight-byte units, so it fits in 31 bits up to 16 GiB and whatever it names is aligned. 0 is no
 * address: the first unit of the first chunk stays unused. Only starts have addresses, and those are within the first
 * `chunkBytes` of a chunk; what starts there may run on to the end of an oversized one.
 *
 * A chunk is seen as bytes and as 32-bit words in the byte order of the machine: chunks never leave it.
 */

import type { ArenaChunk } from './arena.ts'

export const UNIT_BYTES = 8

export class ArenaView {
  readonly words: Uint32Array[] = []
  readonly bytes: Uint8Array[] = []
  /** `address >>> shift` is the chunk's index. */
  readonly shift: number
  /** `(address & mask) << 1` is the word, `(address & mask) << 3` the byte. */
  readonly mask: number

  constructor(chunkBytes: number, chunks: readonly ArenaChunk[] = []) {
    this.shift = 31 - Math.clz32(chunkBytes / UNIT_BYTES)
    this.mask = (1 << this.shift) - 1
    for (const chunk of chunks) this.add(chunk)
  }

  add(chunk: ArenaChunk): void {
    this.words.push(new Uint32Array(chunk.buffer, 0, chunk.buffer.byteLength >>> 2))
    this.bytes.push(new Uint8Array(chunk.buffer))
  }

  clear(): void {
    this.words.length = 0
    this.bytes.length = 0
  }
}
