/** Hands out memory of one memtable: from chunk to chunk, never given back piecemeal. */

import { assert } from '../kernel/assert.ts'
import type { ArenaChunk, ArenaPool } from './arena.ts'
import { ArenaView, UNIT_BYTES } from './arena-view.ts'

export class ArenaAllocator {
  readonly view: ArenaView
  readonly chunks: ArenaChunk[] = []
  readonly #pool: ArenaPool
  readonly chunkBytes: number
  /** Index of the chunk being filled, and the free bytes in it. */
  #current = 0
  #at = 0
  #limit = 0
  /** Bytes of chunks, without the rest of the one being filled. */
  #chunkBytesTotal = 0

  constructor(pool: ArenaPool) {
    this.#pool = pool
    this.chunkBytes = pool.settings.chunkBytes
    this.view = new ArenaView(this.chunkBytes)
  }

  /** Bytes taken: what was handed out and what is lost at the ends of chunks. The free rest of the last chunk does not count. */
  get bytes(): number {
    return this.#chunkBytesTotal - (this.#limit - this.#at)
  }

  /** The address of `bytes` contiguous bytes with arbitrary content. */
  allocate(bytes: number): number {
    const rounded = (bytes + (UNIT_BYTES - 1)) & -UNIT_BYTES
    const at = this.#at
    if (rounded > this.#limit - at) return this.#allocateInNewChunk(rounded)
    this.#at = at + rounded
    return (this.#current << this.view.shift) + (at >>> 3)
  }

  /** Gives every chunk back. */
  release(): void {
    this.#pool.give(this.chunks)
    this.chunks.length = 0
    this.view.clear()
    this.#chunkBytesTotal = 0
    this.#at = this.#limit = 0
  }

  #allocateInNewChunk(bytes: number): number {
    assert(bytes > 0 && bytes < 0x7fff_0000, 'allocation out of range')
    const index = this.chunks.length
    const start = index === 0 ? UNIT_BYTES : 0
    const chunk = this.#pool.take(start + bytes)
    const address = (index << this.view.shift) + (start >>> 3)
    assert((index + 1) * (this.chunkBytes / UNIT_BYTES) < 0x8000_0000, 'a memtable has at most 16 GiB of chunks')
    this.chunks.push(chunk)
    this.view.add(chunk)
    const size = chunk.buffer.byteLength
    this.#chunkBytesTotal += size
    // Whichever has more room is filled next; the rest of the other is lost. Beyond `chunkBytes` there are no addresses.
    const room = Math.min(size, this.chunkBytes) - start - bytes
    if (room > this.#limit - this.#at) {
      this.#current = index
      this.#at = start + bytes
      this.#limit = Math.min(size, this.chunkBytes)
    }
    return address
  }
}
