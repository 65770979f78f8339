/**
 * The filter of a row table: a Bloom filter whose probes for one key stay within one cache line.
 *
 *      0             4
 *      +-------------+---------------------------------+
 *      | probes      | lines of 64 bytes               |
 *      | u32, 1…16   | n × 16 × u32, little-endian     |
 *      +-------------+---------------------------------+
 *
 * The hash of a key (`hashKey` with seed 0) names a line by its high bits; a remix of it names one of 512 bits per probe.
 * Hashes have 32 bits: among a million keys they add 0.02% to the false positives, among ten millions 0.2%.
 *
 * One line per key is Putze, Sanders and Singler's blocked Bloom filter (WEA 2007); stepping a multiplicative hash from
 * probe to probe is how RocksDB's FastLocalBloom does it (util/bloom_impl.h).
 */

import { assert } from '../kernel/assert.ts'
import { readU32, u32Column, writeU32 } from './columns.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePlace } from './table-damage.ts'

const LINE_WORDS = 16
const LINE_BYTES = LINE_WORDS * 4
const LINE_BITS = LINE_BYTES * 8
const HEADER_BYTES = 4
const PROBES_MAX = 16
const STEP = 0x9e3779b1 | 0

export class RowFilter {
  readonly #words: Uint32Array
  readonly #lineCount: number
  readonly #probes: number

  /** @param bytes checked against their checksum; the filter's own, aligned to 4 @throws {VarveError} TABLE_CORRUPT */
  constructor(bytes: Uint8Array, place: TablePlace) {
    const lineBytes = bytes.length - HEADER_BYTES
    if (lineBytes < LINE_BYTES || lineBytes % LINE_BYTES !== 0) throw tableCorrupt(place, 'not a whole number of lines')
    const probes = readU32(bytes, 0)
    if (probes < 1 || probes > PROBES_MAX) throw tableCorrupt(place, 'bad number of probes')
    this.#words = u32Column(bytes, HEADER_BYTES, lineBytes / 4)
    this.#lineCount = lineBytes / LINE_BYTES
    this.#probes = probes
  }

  /** False when no key with this hash has been added. */
  mayContain(hash: number): boolean {
    const words = this.#words
    const line = lineOf(hash, this.#lineCount)
    let probe = remixed(hash)
    for (let count = this.#probes; count > 0; count--) {
      if (((words[line + (probe >>> 28)] as number) & (1 << ((probe >>> 23) & 31))) === 0) return false
      probe = Math.imul(probe, STEP)
    }
    return true
  }
}

export class RowFilterBuilder {
  #hashes = new Uint32Array(1024)
  #count = 0

  add(hash: number): void {
    if (this.#count === this.#hashes.length) {
      const grown = new Uint32Array(this.#count * 2)
      grown.set(this.#hashes)
      this.#hashes = grown
    }
    this.#hashes[this.#count++] = hash
  }

  finish(bitsPerKey: number): Uint8Array {
    assert(this.#count > 0, 'a filter needs a key')
    const lineCount = Math.max(1, Math.ceil((this.#count * bitsPerKey) / LINE_BITS))
    // ln 2 × bits per key has the fewest false positives; a little less costs nothing and probes faster.
    const probes = Math.min(PROBES_MAX, Math.max(1, Math.floor(bitsPerKey * 0.69)))
    const bytes = new Uint8Array(HEADER_BYTES + lineCount * LINE_BYTES)
    writeU32(bytes, 0, probes)
    for (let index = 0; index < this.#count; index++) {
      const hash = this.#hashes[index] as number
      const line = HEADER_BYTES + lineOf(hash, lineCount) * 4
      let probe = remixed(hash)
      for (let count = probes; count > 0; count--) {
        // Little-endian words: bit b of a line is bit b % 8 of its byte b / 8.
        const at = line + (probe >>> 26)
        bytes[at] = (bytes[at] as number) | (1 << ((probe >>> 23) & 7))
        probe = Math.imul(probe, STEP)
      }
    }
    return bytes
  }
}

/** Index of the first word of the line of `hash`. */
function lineOf(hash: number, lineCount: number): number {
  return Math.floor((hash / 0x1_0000_0000) * lineCount) * LINE_WORDS
}

/** Bits for the probes that say little about the line. */
function remixed(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return mixed ^ (mixed >>> 12)
}
