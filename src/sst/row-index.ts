/**
 * The index of a row table: where each data block lies, and a separator at or after its last key.
 *
 *      0          4               8                16          20             24
 *      +----------+---------------+----------------+-----------+--------------+----------------+
 *      | blocks n | prefix length | birth identity | codec     | key bytes    | checksums      |
 *      | u32      | u32           | u64            | u32       | u32          | n × u64        |
 *      +----------+---------------+----------------+-----------+--------------+----------------+
 *      | stored lengths | decoded lengths | key starts    | prefix | separators without it, back to back |
 *      | n × u32        | n × u32         | (n + 1) × u32 |        | key bytes                           |
 *      +----------------+-----------------+---------------+--------+-------------------------------------+
 *
 * Blocks lie back to back from the start of the file, so that stored lengths give offsets and leave no byte uncovered.
 * Separator i is at or after every key of block i and before every key of block i + 1, unless versions of one key are in
 * both: then it is that key. The columns are used as they lie; what a reader adds are offsets and heads.
 */

import { compareRange, headOf } from '../kernel/bytes.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { LIMITS } from '../kernel/limits.ts'
import { BLOCK_CODECS } from './block-codec.ts'
import type { BlockCodecName } from './block-codec.ts'
import { readU32, u32Column, u64Column } from './columns.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePlace } from './table-damage.ts'

export const INDEX_HEADER_BYTES = 24
/** Added to the codec where blocks are packed: all but those of version 1. */
export const INDEX_PACKED = 2
/** What an index has for every block beside its separator. */
export const INDEX_BLOCK_BYTES = 20

export class RowIndex {
  readonly blockCount: number
  readonly codec: BlockCodecName
  /** Whether blocks are stored as packed-block.ts has them, or as they are searched. */
  readonly packed: boolean
  /** Identity of the file the blocks were written into: their seed. */
  readonly birth: bigint
  /** Where block i starts; blockCount + 1 entries. */
  readonly offsets: Float64Array
  readonly decodedLengths: Uint32Array
  readonly checksums: BigUint64Array
  /** Memory taken, in bytes. */
  readonly memoryBytes: number
  readonly #bytes: Uint8Array
  readonly #order: KeyOrder
  readonly #prefixStart: number
  readonly #prefixLength: number
  readonly #keys: number
  readonly #keyStarts: Uint32Array
  readonly #heads: Uint32Array

  /**
   * @param bytes checked against their checksum, aligned to 8, the index's own
   * @param dataBytes bytes that all blocks take together
   * @throws {VarveError} TABLE_CORRUPT
   */
  constructor(bytes: Uint8Array, dataBytes: number, order: KeyOrder, place: TablePlace) {
    if (bytes.length < INDEX_HEADER_BYTES) throw tableCorrupt(place, 'shorter than its header')
    const blockCount = readU32(bytes, 0)
    const prefixLength = readU32(bytes, 4)
    const codecNumber = readU32(bytes, 16)
    const packed = codecNumber >= INDEX_PACKED
    const codec = BLOCK_CODECS[packed ? codecNumber - INDEX_PACKED : codecNumber]
    const keyBytes = readU32(bytes, 20)
    if (codec === undefined) throw tableCorrupt(place, 'unknown codec')
    const checksums = INDEX_HEADER_BYTES
    const storedLengths = checksums + blockCount * 8
    const decodedLengths = storedLengths + blockCount * 4
    const keyStarts = decodedLengths + blockCount * 4
    const prefixStart = keyStarts + (blockCount + 1) * 4
    if (prefixStart + prefixLength + keyBytes !== bytes.length) throw tableCorrupt(place, 'columns do not add up')
    this.blockCount = blockCount
    this.codec = codec
    this.packed = packed
    this.birth = u64Column(bytes, 8, 1)[0] as bigint
    this.checksums = u64Column(bytes, checksums, blockCount)
    this.decodedLengths = u32Column(bytes, decodedLengths, blockCount)
    this.#bytes = bytes
    this.#order = order
    this.#prefixStart = prefixStart
    this.#prefixLength = prefixLength
    this.#keys = prefixStart + prefixLength
    this.#keyStarts = u32Column(bytes, keyStarts, blockCount + 1)
    if (!order.bytewise && prefixLength !== 0) throw tableCorrupt(place, 'prefix in an order other than bytewise')
    this.#checkKeyStarts(keyBytes, place)
    this.offsets = blockOffsets(u32Column(bytes, storedLengths, blockCount), this.decodedLengths, dataBytes, place)
    this.#heads = new Uint32Array(order.bytewise ? blockCount : 0)
    for (let block = 0; block < this.#heads.length; block++) {
      this.#heads[block] = headOf(bytes, this.#keyStart(block), this.#keyStart(block + 1))
    }
    this.memoryBytes = bytes.length + this.offsets.byteLength + this.#heads.byteLength
  }

  storedLength(block: number): number {
    return (this.offsets[block + 1] as number) - (this.offsets[block] as number)
  }

  /** The first block whose separator is at or after `key`: the one that has it. blockCount when there is none. */
  lowerBound(key: Uint8Array): number {
    return this.#bound(key, 0)
  }

  /** The first block whose separator is after `key`. blockCount when there is none. */
  upperBound(key: Uint8Array): number {
    return this.#bound(key, 1)
  }

  isSeparator(block: number, key: Uint8Array): boolean {
    const bytes = this.#bytes
    const prefixLength = this.#prefixLength
    const start = this.#keyStart(block)
    const limit = this.#keyStart(block + 1)
    return (
      key.length === prefixLength + limit - start &&
      compareRange(bytes, this.#prefixStart, this.#keys, key, 0, prefixLength) === 0 &&
      compareRange(bytes, start, limit, key, prefixLength, key.length) === 0
    )
  }

  /** A copy of the separator of `block`. */
  separatorAt(block: number): Uint8Array {
    const separator = new Uint8Array(this.#prefixLength + this.#keyStart(block + 1) - this.#keyStart(block))
    separator.set(this.#bytes.subarray(this.#prefixStart, this.#keys))
    separator.set(this.#bytes.subarray(this.#keyStart(block), this.#keyStart(block + 1)), this.#prefixLength)
    return separator
  }

  /** First block whose separator compares with `key` as at least `least`. */
  #bound(key: Uint8Array, least: 0 | 1): number {
    if (!this.#order.bytewise) return this.#boundBy(key, least)
    const bytes = this.#bytes
    const prefixLength = this.#prefixLength
    const shared = key.length < prefixLength ? key.length : prefixLength
    for (let index = 0; index < shared; index++) {
      const difference = (bytes[this.#prefixStart + index] as number) - (key[index] as number)
      if (difference !== 0) return difference > 0 ? 0 : this.blockCount
    }
    if (key.length < prefixLength) return 0
    const heads = this.#heads
    const head = headOf(key, prefixLength, key.length)
    let low = 0
    let high = this.blockCount
    while (low < high) {
      const middle = (low + high) >>> 1
      const found = heads[middle] as number
      if (found < head) low = middle + 1
      else if (found > head) high = middle
      else if (
        compareRange(bytes, this.#keyStart(middle), this.#keyStart(middle + 1), key, prefixLength, key.length) < least
      )
        low = middle + 1
      else high = middle
    }
    return low
  }

  #boundBy(key: Uint8Array, least: 0 | 1): number {
    let low = 0
    let high = this.blockCount
    while (low < high) {
      const middle = (low + high) >>> 1
      const comparison = this.#order.compare(
        this.#bytes,
        this.#keyStart(middle),
        this.#keyStart(middle + 1),
        key,
        0,
        key.length,
      )
      // A comparison may be any number: 1 stands for every positive one.
      if ((comparison > 0 ? 1 : comparison) < least) low = middle + 1
      else high = middle
    }
    return low
  }

  #keyStart(block: number): number {
    return this.#keys + (this.#keyStarts[block] as number)
  }

  #checkKeyStarts(keyBytes: number, place: TablePlace): void {
    let before = 0
    for (const start of this.#keyStarts) {
      if (start < before) throw tableCorrupt(place, 'separators do not ascend')
      before = start
    }
    if (this.#keyStarts[0] !== 0 || before !== keyBytes) throw tableCorrupt(place, 'separators do not fill their area')
  }
}

function blockOffsets(stored: Uint32Array, decoded: Uint32Array, dataBytes: number, place: TablePlace): Float64Array {
  const offsets = new Float64Array(stored.length + 1)
  let offset = 0
  for (let block = 0; block < stored.length; block++) {
    const length = stored[block] as number
    if (length === 0 || length > (decoded[block] as number)) throw tableCorrupt(place, 'impossible block length')
    if ((decoded[block] as number) > LIMITS.blockBytesMax) throw tableCorrupt(place, 'block is over the limit')
    offset += length
    offsets[block + 1] = offset
  }
  if (offset !== dataBytes) throw tableCorrupt(place, 'blocks do not fill their area')
  return offsets
}
