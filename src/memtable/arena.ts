/**
 * Memory for memtables: fixed-size chunks of shared memory from a pool with a budget.
 *
 * Dropping a shared buffer frees nothing while a worker has seen it, so chunks are reused, never dropped: 40 × 32 MiB
 * posted and dropped left 1.3 GiB resident (shared/design performance notes, docs/decisions/0003-arenas.md).
 */

import { KIB, MIB } from '../kernel/limits.ts'

export interface ArenaChunk {
  /** Unique in its pool. */
  readonly id: number
  readonly buffer: SharedArrayBuffer
}

export interface ArenaSettings {
  /** Bytes of one chunk. Larger: fewer chunks; smaller: less waste in the last one of each memtable. */
  readonly chunkBytes: number
  /** Chunks kept for reuse when idle, in bytes. */
  readonly idleBytesMax: number
}

export const ARENA_DEFAULTS: ArenaSettings = Object.freeze({ chunkBytes: 256 * KIB, idleBytesMax: 128 * MIB })

export class ArenaPool {
  readonly settings: ArenaSettings
  readonly #idle: ArenaChunk[] = []
  #idNext = 0
  #usedBytes = 0

  constructor(settings: Partial<ArenaSettings> = {}) {
    this.settings = Object.freeze({ ...ARENA_DEFAULTS, ...settings })
    const { chunkBytes } = this.settings
    if (!(chunkBytes >= 4 * KIB && (chunkBytes & (chunkBytes - 1)) === 0)) {
      throw new RangeError(`chunkBytes must be a power of two of at least 4096, got ${chunkBytes}`)
    }
  }

  /** Bytes lent out. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Bytes resident: lent out or kept for reuse. */
  get residentBytes(): number {
    return this.#usedBytes + this.#idle.length * this.settings.chunkBytes
  }

  /** A chunk of `chunkBytes`, or larger where one record needs `bytes`. Its content is arbitrary. */
  take(bytes: number = this.settings.chunkBytes): ArenaChunk {
    if (bytes <= this.settings.chunkBytes) {
      this.#usedBytes += this.settings.chunkBytes
      return this.#idle.pop() ?? { id: this.#idNext++, buffer: new SharedArrayBuffer(this.settings.chunkBytes) }
    }
    this.#usedBytes += bytes
    return { id: this.#idNext++, buffer: new SharedArrayBuffer(bytes) }
  }

  /** Takes chunks back. An oversized one is dropped: rare, and no other memtable could use it. */
  give(chunks: readonly ArenaChunk[]): void {
    const idleMax = this.settings.idleBytesMax / this.settings.chunkBytes
    for (const chunk of chunks) {
      this.#usedBytes -= chunk.buffer.byteLength
      if (chunk.buffer.byteLength === this.settings.chunkBytes && this.#idle.length < idleMax) this.#idle.push(chunk)
    }
  }
}
