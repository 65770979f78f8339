/**
 * Memory for memtables: fixed-size chunks of shared memory from a pool.
 *
 * Dropping a shared buffer frees nothing while a worker has seen it, so chunks are reused, never dropped: 40 × 32 MiB
 * posted and dropped left 1.3 GiB resident (docs/decisions/0003-arenas.md).
 */

import { assert } from '../kernel/assert.ts'
import { KIB, MIB } from '../kernel/limits.ts'
import { checkInteger, checkNumber, overDefaults } from '../kernel/setting-check.ts'

/** Memory that a pool has lent out. Whoever took it gives it back to the same pool, once. */
export interface ArenaChunk {
  /** Unique in its pool. */
  readonly id: number
  /** At least `ArenaSettings.chunkBytes` long. */
  readonly buffer: SharedArrayBuffer
}

/** Defaults and their reasons: `ARENA_DEFAULTS`. */
export interface ArenaSettings {
  /**
   * Bytes of one chunk, a power of two. Larger: fewer chunks; smaller: less waste in the last one of each memtable.
   * Range: 4 KiB … 1 GiB.
   */
  readonly chunkBytes: number
  /** Chunks kept for reuse when idle, in bytes. Range: 0 B or more. */
  readonly idleBytesMax: number
}

/** What is not said. */
export const ARENA_DEFAULTS: ArenaSettings = Object.freeze({
  // A memtable of 64 MiB has 256 of them: put, get and scan were within noise of 1 MiB chunks.
  chunkBytes: 256 * KIB,
  // Two memtables of the default size: one being filled while one is flushed.
  idleBytesMax: 128 * MIB,
})

/** Lends chunks of one size. Synchronous; one pool may serve all shards of a thread. */
export class ArenaPool {
  /** As they are in force, complete. */
  readonly settings: ArenaSettings
  readonly #idle: ArenaChunk[] = []
  /** Oversized ones, oldest first. */
  readonly #idleLarge: ArenaChunk[] = []
  #idNext = 0
  #usedBytes = 0
  #idleBytes = 0

  /** @throws {TypeError} {RangeError} a wrong setting, naming it */
  constructor(settings: Partial<ArenaSettings> = {}) {
    this.settings = Object.freeze(overDefaults(ARENA_DEFAULTS, settings))
    const { chunkBytes, idleBytesMax } = this.settings
    checkInteger('chunkBytes', chunkBytes, [4 * KIB, 1024 * MIB])
    if ((chunkBytes & (chunkBytes - 1)) !== 0)
      throw new RangeError(`chunkBytes must be a power of two, got ${chunkBytes}`)
    checkNumber('idleBytesMax', idleBytesMax, [0, Infinity])
  }

  /** Bytes lent out. */
  get usedBytes(): number {
    return this.#usedBytes
  }

  /** Bytes resident: lent out or kept for reuse. */
  get residentBytes(): number {
    return this.#usedBytes + this.#idleBytes
  }

  /** A chunk of `chunkBytes`, or a larger one where one record needs `bytes`. Its content is arbitrary. */
  take(bytes: number = this.settings.chunkBytes): ArenaChunk {
    const { chunkBytes } = this.settings
    const kept = bytes <= chunkBytes ? this.#idle.pop() : this.#takeLarge(bytes)
    if (kept !== undefined) this.#idleBytes -= kept.buffer.byteLength
    const chunk = kept ?? { id: this.#idNext++, buffer: new SharedArrayBuffer(Math.max(bytes, chunkBytes)) }
    this.#usedBytes += chunk.buffer.byteLength
    return chunk
  }

  /** Takes chunks back: nobody may read or write them any more. Beyond `idleBytesMax` they are dropped, oversized ones first. */
  give(chunks: readonly ArenaChunk[]): void {
    const { chunkBytes, idleBytesMax } = this.settings
    for (const chunk of chunks) {
      const bytes = chunk.buffer.byteLength
      this.#usedBytes -= bytes
      assert(this.#usedBytes >= 0, 'a chunk was given back twice')
      const large = bytes !== chunkBytes
      while (!large && this.#idleBytes + bytes > idleBytesMax) {
        const dropped = this.#idleLarge.shift()
        if (dropped === undefined) break
        this.#idleBytes -= dropped.buffer.byteLength
      }
      if (this.#idleBytes + bytes > idleBytesMax) continue
      this.#idleBytes += bytes
      if (large) this.#idleLarge.push(chunk)
      else this.#idle.push(chunk)
    }
  }

  /** The smallest idle one of at least `bytes`, unless half of it would be wasted. */
  #takeLarge(bytes: number): ArenaChunk | undefined {
    let best = -1
    let bestBytes = bytes * 2 + 1
    for (const [index, chunk] of this.#idleLarge.entries()) {
      const chunkBytes = chunk.buffer.byteLength
      if (chunkBytes >= bytes && chunkBytes < bestBytes) {
        best = index
        bestBytes = chunkBytes
      }
    }
    return best < 0 ? undefined : this.#idleLarge.splice(best, 1)[0]
  }
}
