/**
 * Values that compress to half, as db_bench makes them, and that say whose they are.
 *
 *      key index (4 B, little endian) | version (4 B) | filler
 *
 * The filler is cut from a pool where every 50 random bytes come twice. A value that was swapped, cut, lost or made up
 * has another fingerprint, so the sum of fingerprints shows that every result was really read.
 */

import { SeededNumbers, mix } from './random.ts'

const POOL_BYTES = 1024 * 1024
const PIECE_BYTES = 50
export const VALUE_BYTES_MIN = 16

export class Values {
  readonly bytes: number
  /** Looks at every byte. Otherwise at length, owner, version and the last four bytes, which costs 10 ns. */
  readonly #whole: boolean
  readonly #pool: Buffer
  readonly #scratch: Buffer

  constructor(bytes: number, options: { readonly whole: boolean }) {
    if (bytes < VALUE_BYTES_MIN) throw new RangeError(`values must have at least ${VALUE_BYTES_MIN} B, got ${bytes}`)
    this.bytes = bytes
    this.#whole = options.whole
    this.#pool = makePool(POOL_BYTES + bytes)
    this.#scratch = Buffer.alloc(bytes)
  }

  /** Writes the value of key `index` in `version` over `target`, which has `bytes` bytes. */
  write(index: number, version: number, target: Buffer): void {
    const start = fillerStart(index, version)
    target.set(this.#pool.subarray(start + 8, start + this.bytes), 8)
    target.writeUInt32LE(index, 0)
    target.writeUInt32LE(version, 4)
  }

  /** Fingerprint that the value of key `index` in `version` must have. */
  expected(index: number, version: number): number {
    if (this.#whole) {
      this.write(index, version, this.#scratch)
      return hashOf(this.#scratch)
    }
    return mix(
      index +
        Math.imul(
          mix(version + mix(this.bytes + this.#pool.readUInt32LE(fillerStart(index, version) + this.bytes - 4))),
          31,
        ),
    )
  }

  /** Fingerprint of a value that was read. */
  fingerprint(value: Uint8Array): number {
    if (this.#whole) return hashOf(value)
    return mix(
      wordAt(value, 0) + Math.imul(mix(wordAt(value, 4) + mix(value.length + wordAt(value, value.length - 4))), 31),
    )
  }
}

/** Whose value it is. */
export function ownerOf(value: Uint8Array): number {
  return wordAt(value, 0) >>> 0
}

/** Which version it is. */
export function versionOf(value: Uint8Array): number {
  return wordAt(value, 4) >>> 0
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] as number) |
    ((bytes[at + 1] as number) << 8) |
    ((bytes[at + 2] as number) << 16) |
    ((bytes[at + 3] as number) << 24)
  )
}

function fillerStart(index: number, version: number): number {
  return mix(index + Math.imul(version, 0x9e3779b1)) % POOL_BYTES
}

/** FNV-1a. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  return hash >>> 0
}

function makePool(bytes: number): Buffer {
  const random = new SeededNumbers(301)
  const pool = Buffer.alloc(bytes)
  for (let start = 0; start < bytes; start += 2 * PIECE_BYTES) {
    for (let at = start; at < Math.min(start + PIECE_BYTES, bytes); at++) pool[at] = random.word() >>> 24
    pool.copyWithin(start + PIECE_BYTES, start, start + PIECE_BYTES)
  }
  return pool
}
