/**
 * A data block of the row format, searched as it lies.
 *
 *      0            4                8             16         20                20 + 4n
 *      +------------+----------------+-------------+----------+-----------------+-----------------------+
 *      | count n    | prefix length  | seqno base  | tag size | heads           | key offsets           |
 *      | u32, ≥ 1   | u32            | u64         | u32, 1…7 | n × u32         | (n + 1) × u16 or u32  |
 *      +------------+----------------+-------------+----------+-----------------+-----------------------+
 *      | value offsets         | tags         | prefix | key rests, back to back | values, back to back |
 *      | (n + 1) × u16 or u32  | n × tag size |        |                         |                      |
 *      +-----------------------+--------------+--------+-------------------------+----------------------+
 *
 * A key is prefix + up to four head bytes + rest. A head is those bytes as a big-endian number, padded with zeros, stored
 * little-endian: comparing heads is comparing keys, and a binary search touches nothing but this one column until two are
 * equal. A tag is (seqno − base) × 128 + pad × 16 + kind, where pad says how many of the head's bytes are padding.
 * Offsets count from the start of their area and are u16 in blocks below 64 KiB.
 *
 * Entries are in the order of the table: ascending keys, within a key newest first. Spec: docs/formats/row-table.md.
 * Heads beside the pointers are the order-preserving key normalisation of Graefe's B-tree surveys.
 */

import { compareRange, headOf } from '../kernel/bytes.ts'
import type { Found } from '../kernel/found.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { BlockMemory, BlockPiece } from './block-memory.ts'
import { CachedBlock } from './block-queue.ts'
import type { CachedBlockOwner } from './block-queue.ts'
import { readU32 } from './columns.ts'
import type { KeyScratch } from './key-scratch.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePlace } from './table-damage.ts'

export const ROW_HEADER_BYTES = 20
export const ROW_TAG_BYTES_MAX = 7
/** Offsets are u32 in blocks of at least this many bytes. */
export const ROW_WIDE_BYTES = 0x10000
/** What a tag's delta is multiplied by. */
export const ROW_TAG_SCALE = 128

/** `find`: no entry of the key in this block, nor in the next. */
export const ROW_ABSENT = -1
/** `find`: every entry of this block comes before; the next block may have it. */
export const ROW_BEYOND = -2

// What the objects around the bytes weigh: this one, 220 bytes on the heap (measured), and, where it has a buffer of its own,
// its views and that one's record outside the heap, with some for the allocator.
const OBJECT_BYTES = 512

// How far to look around where a head is expected: within a cache line or two.
const GUESS_REACH = 8

export class RowBlock extends CachedBlock {
  /** What it is read through: memory that others have parts of. Every `…At` below counts from its start. */
  bytes: Uint8Array
  view: DataView
  readonly count: number
  readonly prefixLength: number
  headsAt: number
  // What is needed to look for a head and to compare a prefix without touching more of the bytes than that: the first and the
  // last head without their last bit, the first four bytes of the prefix. As integers of 32 bits with a sign they are a part
  // of this object; others would be objects by themselves.
  readonly #headFirst: number
  readonly #headSpan: number
  readonly #prefixHead: number
  keyOffsetsAt: number
  valueOffsetsAt: number
  tagsAt: number
  keysAt: number
  valuesAt: number
  readonly wide: boolean
  readonly tagBytes: number
  readonly seqnoBase: number
  prefixStart: number
  /** Where the block ends. */
  limitAt: number

  /**
   * @param bytes checked for structure, every offset included; `piece.bytes` or a part of it
   * @param madeHere the bytes are from `unpackBlock`, which has checked what it made them of
   * @throws {VarveError} TABLE_CORRUPT
   */
  constructor(
    bytes: Uint8Array,
    piece: BlockPiece,
    owner: CachedBlockOwner,
    blockNumber: number,
    place: TablePlace,
    madeHere = false,
  ) {
    super(owner, blockNumber, bytes.length + OBJECT_BYTES)
    if (bytes.length < ROW_HEADER_BYTES) throw tableCorrupt(place, 'shorter than its header')
    const count = readU32(bytes, 0)
    const prefixLength = readU32(bytes, 4)
    const seqnoBase = readU32(bytes, 8) + readU32(bytes, 12) * 0x1_0000_0000
    const tagBytes = readU32(bytes, 16)
    if (count === 0) throw tableCorrupt(place, 'no entries')
    if (!Number.isSafeInteger(seqnoBase)) throw tableCorrupt(place, 'seqno base over 2^53')
    if (tagBytes < 1 || tagBytes > ROW_TAG_BYTES_MAX) throw tableCorrupt(place, 'bad tag size')
    const start = bytes.byteOffset - piece.bytes.byteOffset
    const limit = start + bytes.length
    this.bytes = piece.bytes
    this.view = piece.view
    this.limitAt = limit
    this.count = count
    this.prefixLength = prefixLength
    this.seqnoBase = seqnoBase
    this.tagBytes = tagBytes
    this.wide = bytes.length >= ROW_WIDE_BYTES
    const offsetBytes = this.wide ? 4 : 2
    this.headsAt = start + ROW_HEADER_BYTES
    this.keyOffsetsAt = this.headsAt + count * 4
    this.valueOffsetsAt = this.keyOffsetsAt + (count + 1) * offsetBytes
    this.tagsAt = this.valueOffsetsAt + (count + 1) * offsetBytes
    this.prefixStart = this.tagsAt + count * tagBytes
    this.keysAt = this.prefixStart + prefixLength
    if (this.keysAt > limit) throw tableCorrupt(place, 'columns run past the end')
    this.#headFirst = this.headAt(0) >>> 1
    this.#headSpan = (this.headAt(count - 1) >>> 1) - this.#headFirst
    this.#prefixHead = headOf(this.bytes, this.prefixStart, this.keysAt) | 0
    this.valuesAt = this.keysAt + this.offsetAt(this.keyOffsetsAt, count)
    if (this.valuesAt + this.offsetAt(this.valueOffsetsAt, count) !== limit)
      throw tableCorrupt(place, 'areas do not add up')
    if (madeHere) return
    this.#checkAscending(this.keyOffsetsAt, place)
    this.#checkAscending(this.valueOffsetsAt, place)
    this.#checkPads(place)
  }

  moveTo(memory: BlockMemory): void {
    const start = this.headsAt - ROW_HEADER_BYTES
    const length = this.limitAt - start
    if (length === this.bytes.buffer.byteLength) return
    const copy = memory.take(length)
    copy.set(this.bytes.subarray(start, start + length))
    const piece = memory.pieceOf(copy)
    const shift = copy.byteOffset - piece.bytes.byteOffset - start
    this.bytes = piece.bytes
    this.view = piece.view
    this.headsAt += shift
    this.keyOffsetsAt += shift
    this.valueOffsetsAt += shift
    this.tagsAt += shift
    this.prefixStart += shift
    this.keysAt += shift
    this.valuesAt += shift
    this.limitAt += shift
  }

  /** Index of the first entry at or after (`key`, `seqno`) in the order of entries; `count` when all come before. */
  search(key: Uint8Array, seqno: number): number {
    const bytes = this.bytes
    const prefixLength = this.prefixLength
    const shared = key.length < prefixLength ? key.length : prefixLength
    for (let index = 0; index < shared; index++) {
      const difference = (key[index] as number) - (bytes[this.prefixStart + index] as number)
      if (difference !== 0) return difference < 0 ? 0 : this.count
    }
    if (key.length < prefixLength) return 0
    const head = headOf(key, prefixLength, key.length)
    const low = this.#headBound(head)
    if (low === this.count || this.headAt(low) !== head || !this.#isBefore(low, key, seqno)) return low
    return this.#searchTies(low + 1, head, key, seqno)
  }

  /** `search` for orders other than bytewise: heads mean nothing, keys are put together in `scratch`. */
  searchBy(order: KeyOrder, key: Uint8Array, seqno: number, scratch: KeyScratch): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const length = this.keyInto(middle, scratch)
      const comparison = order.compare(scratch.bytes, 0, length, key, 0, key.length)
      if (comparison < 0 || (comparison === 0 && this.seqnoAt(middle) > seqno)) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Index of the newest entry of `key` at or below `seqno`, ROW_ABSENT or ROW_BEYOND. */
  find(key: Uint8Array, seqno: number): number {
    const prefixLength = this.prefixLength
    if (key.length < prefixLength) return ROW_ABSENT
    const head = headOf(key, prefixLength, key.length)
    let low = this.#headBound(head)
    if (low === this.count) return ROW_BEYOND
    if (this.headAt(low) !== head) return ROW_ABSENT
    let comparison = this.#compareTie(low, key)
    if (comparison < 0 || (comparison === 0 && this.seqnoAt(low) > seqno)) {
      low = this.#searchTies(low + 1, head, key, seqno)
      if (low === this.count) return ROW_BEYOND
      if (this.headAt(low) !== head) return ROW_ABSENT
      comparison = this.#compareTie(low, key)
    }
    // A key without the prefix was searched for in vain, which is found out here, where its bytes are needed.
    return comparison === 0 && this.#hasPrefix(key) ? low : ROW_ABSENT
  }

  findBy(order: KeyOrder, key: Uint8Array, seqno: number, scratch: KeyScratch): number {
    const index = this.searchBy(order, key, seqno, scratch)
    if (index === this.count) return ROW_BEYOND
    return this.isKeyAt(index, key) ? index : ROW_ABSENT
  }

  isKeyAt(index: number, key: Uint8Array): boolean {
    const prefixLength = this.prefixLength
    if (key.length < prefixLength || this.headAt(index) !== headOf(key, prefixLength, key.length)) return false
    return this.#compareTie(index, key) === 0 && this.#hasPrefix(key)
  }

  /** True when entries `a` and `b` of this block have the same key. */
  isSameKey(a: number, b: number): boolean {
    if (this.headAt(a) !== this.headAt(b)) return false
    const aStart = this.keyRestAt(a)
    const aLimit = this.keyRestAt(a + 1)
    const bStart = this.keyRestAt(b)
    const bLimit = this.keyRestAt(b + 1)
    if (aLimit - aStart !== bLimit - bStart) return false
    if (aLimit === aStart) return this.padAt(a) === this.padAt(b)
    return compareRange(this.bytes, aStart, aLimit, this.bytes, bStart, bLimit) === 0
  }

  seqnoAt(index: number): number {
    return this.seqnoBase + Math.floor(this.#tag(index) / ROW_TAG_SCALE)
  }

  kindAt(index: number): number {
    return (this.bytes[this.tagsAt + index * this.tagBytes] as number) & 15
  }

  /** How many of the head's bytes are not of the key. */
  padAt(index: number): number {
    return ((this.bytes[this.tagsAt + index * this.tagBytes] as number) >>> 4) & 7
  }

  valueLengthAt(index: number): number {
    return this.offsetAt(this.valueOffsetsAt, index + 1) - this.offsetAt(this.valueOffsetsAt, index)
  }

  keyLengthAt(index: number): number {
    const rest = this.keyRestAt(index + 1) - this.keyRestAt(index)
    return this.prefixLength + (rest > 0 ? rest + 4 : 4 - this.padAt(index))
  }

  /** Puts key `index` into `scratch` and returns its length. */
  keyInto(index: number, scratch: KeyScratch): number {
    const length = this.keyLengthAt(index)
    this.putKey(index, scratch.reserve(length), 0, length)
    return length
  }

  /** Puts key `index`, which has `length` bytes, at `at`. */
  putKey(index: number, into: Uint8Array, at: number, length: number): void {
    const { bytes, prefixStart, prefixLength } = this
    into.set(bytes.subarray(prefixStart, prefixStart + prefixLength), at)
    const head = this.headAt(index)
    const limit = at + length
    at += prefixLength
    for (let shift = 24; at < limit && shift >= 0; shift -= 8) into[at++] = head >>> shift
    if (at < limit) into.set(bytes.subarray(this.keyRestAt(index), this.keyRestAt(index + 1)), at)
  }

  foundAt(index: number, into: Found): void {
    const start = this.offsetAt(this.valueOffsetsAt, index)
    into.kind = this.kindAt(index)
    into.seqno = this.seqnoAt(index)
    into.block = this.bytes
    into.valueStart = this.valuesAt + start
    into.valueLength = this.offsetAt(this.valueOffsetsAt, index + 1) - start
  }

  headAt(index: number): number {
    return this.view.getUint32(this.headsAt + index * 4, true)
  }

  /**
   * Index of the first head at or above `head`; `count` when there is none.
   *
   * Begins where it would be if heads were spread evenly, as those of hashes and random keys are: then a look around there
   * replaces a binary search through all cache lines of the column.
   */
  #headBound(head: number): number {
    const { view, headsAt } = this
    let low = 0
    let high = this.count
    const span = this.#headSpan
    const over = (head >>> 1) - this.#headFirst
    if (over >= 0 && over < span) {
      const guess = ((over * (high - 1)) / span) | 0
      if (view.getUint32(headsAt + guess * 4, true) < head) {
        low = guess + 1
        const near = low + GUESS_REACH
        if (near < high && view.getUint32(headsAt + near * 4, true) >= head) high = near
      } else {
        high = guess
        const near = guess - GUESS_REACH
        if (near >= 0 && view.getUint32(headsAt + near * 4, true) < head) low = near + 1
      }
    }
    while (low < high) {
      const middle = (low + high) >>> 1
      if (view.getUint32(headsAt + middle * 4, true) < head) low = middle + 1
      else high = middle
    }
    return low
  }

  /** For a key at least as long as the prefix. */
  #hasPrefix(key: Uint8Array): boolean {
    const length = this.prefixLength
    if ((headOf(key, 0, length) | 0) !== this.#prefixHead) return false
    const bytes = this.bytes
    const start = this.prefixStart
    for (let index = length - 1; index >= 4; index--) if (bytes[start + index] !== key[index]) return false
    return true
  }

  #searchTies(low: number, head: number, key: Uint8Array, seqno: number): number {
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const found = this.headAt(middle)
      if (found < head || (found === head && this.#isBefore(middle, key, seqno))) low = middle + 1
      else high = middle
    }
    return low
  }

  /** For an entry with the head of `key`: true when it comes before (`key`, `seqno`). */
  #isBefore(index: number, key: Uint8Array, seqno: number): boolean {
    const comparison = this.#compareTie(index, key)
    return comparison < 0 || (comparison === 0 && this.seqnoAt(index) > seqno)
  }

  /** Compares entry `index` with `key`, given that prefix and head are equal. */
  #compareTie(index: number, key: Uint8Array): number {
    const start = this.keyRestAt(index)
    const limit = this.keyRestAt(index + 1)
    const keyRest = this.prefixLength + 4
    if (limit > start && key.length > keyRest) return compareRange(this.bytes, start, limit, key, keyRest, key.length)
    // One of the two ends within its head. With equal heads it is the other's prefix, so that the shorter comes first.
    return (limit > start ? 4 + limit - start : 4 - this.padAt(index)) - (key.length - this.prefixLength)
  }

  #tag(index: number): number {
    const bytes = this.bytes
    const tagBytes = this.tagBytes
    let at = this.tagsAt + index * tagBytes
    let tag = 0
    let scale = 1
    for (const limit = at + tagBytes; at < limit; at++) {
      tag += (bytes[at] as number) * scale
      scale *= 256
    }
    return tag
  }

  /** Where the rest of key `index` starts in the block. */
  keyRestAt(index: number): number {
    return this.keysAt + this.offsetAt(this.keyOffsetsAt, index)
  }

  /** Offset `index` of the column that starts at `column`. */
  offsetAt(column: number, index: number): number {
    const bytes = this.bytes
    if (this.wide) return readU32(bytes, column + index * 4)
    const at = column + index * 2
    return (bytes[at] as number) | ((bytes[at + 1] as number) << 8)
  }

  // Offsets that ascend from 0 to the size of their area keep every later access inside the block.
  #checkAscending(column: number, place: TablePlace): void {
    let before = this.offsetAt(column, 0)
    if (before !== 0) throw tableCorrupt(place, 'first offset is not 0')
    for (let index = 1; index <= this.count; index++) {
      const offset = this.offsetAt(column, index)
      if (offset < before) throw tableCorrupt(place, 'offsets do not ascend')
      before = offset
    }
  }

  // A pad within its head keeps every key length between the prefix's and the area's.
  #checkPads(place: TablePlace): void {
    for (let index = 0; index < this.count; index++) {
      const pad = this.padAt(index)
      if (pad > 4 || (pad > 0 && this.keyRestAt(index) !== this.keyRestAt(index + 1)))
        throw tableCorrupt(place, 'bad pad')
    }
  }
}
