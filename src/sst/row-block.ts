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
import type { BlockMemory } from './block-memory.ts'
import { CachedBlock } from './block-queue.ts'
import type { CachedBlockOwner } from './block-queue.ts'
import { readU32, u32Column } from './columns.ts'
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

// What the objects around the bytes weigh: this one and two typed arrays, 220 bytes on the heap (measured), and, where it has
// a buffer of its own, that one's record outside it, taken to be as much again and some for the allocator.
const OBJECT_BYTES = 512

export class RowBlock extends CachedBlock {
  bytes: Uint8Array
  readonly count: number
  heads: Uint32Array
  readonly prefixStart: number
  readonly prefixLength: number
  readonly seqnoBase: number
  readonly tagBytes: number
  readonly wide: boolean
  readonly keyOffsetsAt: number
  readonly valueOffsetsAt: number
  readonly tagsAt: number
  readonly keysAt: number
  readonly valuesAt: number

  /** @param bytes aligned to 4; checked for structure, every offset included @throws {VarveError} TABLE_CORRUPT */
  constructor(bytes: Uint8Array, owner: CachedBlockOwner, blockNumber: number, place: TablePlace) {
    super(owner, blockNumber, bytes.length + OBJECT_BYTES)
    if (bytes.length < ROW_HEADER_BYTES) throw tableCorrupt(place, 'shorter than its header')
    const count = readU32(bytes, 0)
    const prefixLength = readU32(bytes, 4)
    const seqnoBase = readU32(bytes, 8) + readU32(bytes, 12) * 0x1_0000_0000
    const tagBytes = readU32(bytes, 16)
    if (count === 0) throw tableCorrupt(place, 'no entries')
    if (!Number.isSafeInteger(seqnoBase)) throw tableCorrupt(place, 'seqno base over 2^53')
    if (tagBytes < 1 || tagBytes > ROW_TAG_BYTES_MAX) throw tableCorrupt(place, 'bad tag size')
    this.bytes = bytes
    this.count = count
    this.prefixLength = prefixLength
    this.seqnoBase = seqnoBase
    this.tagBytes = tagBytes
    this.wide = bytes.length >= ROW_WIDE_BYTES
    const offsetBytes = this.wide ? 4 : 2
    this.keyOffsetsAt = ROW_HEADER_BYTES + count * 4
    this.valueOffsetsAt = this.keyOffsetsAt + (count + 1) * offsetBytes
    this.tagsAt = this.valueOffsetsAt + (count + 1) * offsetBytes
    this.prefixStart = this.tagsAt + count * tagBytes
    this.keysAt = this.prefixStart + prefixLength
    if (this.keysAt > bytes.length) throw tableCorrupt(place, 'columns run past the end')
    this.heads = u32Column(bytes, ROW_HEADER_BYTES, count)
    this.valuesAt = this.keysAt + this.offsetAt(this.keyOffsetsAt, count)
    if (this.valuesAt + this.offsetAt(this.valueOffsetsAt, count) !== bytes.length)
      throw tableCorrupt(place, 'areas do not add up')
    this.#checkAscending(this.keyOffsetsAt, place)
    this.#checkAscending(this.valueOffsetsAt, place)
    this.#checkPads(place)
  }

  moveTo(memory: BlockMemory): void {
    const { bytes } = this
    if (bytes.length === bytes.buffer.byteLength) return
    const copy = memory.take(bytes.length)
    copy.set(bytes)
    this.bytes = copy
    this.heads = u32Column(copy, ROW_HEADER_BYTES, this.count)
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
    const heads = this.heads
    const head = headOf(key, prefixLength, key.length)
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((heads[middle] as number) < head) low = middle + 1
      else high = middle
    }
    if (low === this.count || heads[low] !== head || !this.#isBefore(low, key, seqno)) return low
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
    const heads = this.heads
    const head = headOf(key, prefixLength, key.length)
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((heads[middle] as number) < head) low = middle + 1
      else high = middle
    }
    if (low === this.count) return ROW_BEYOND
    if (heads[low] !== head) return ROW_ABSENT
    let comparison = this.#compareTie(low, key)
    if (comparison < 0 || (comparison === 0 && this.seqnoAt(low) > seqno)) {
      low = this.#searchTies(low + 1, head, key, seqno)
      if (low === this.count) return ROW_BEYOND
      if (heads[low] !== head) return ROW_ABSENT
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
    if (key.length < prefixLength || this.heads[index] !== headOf(key, prefixLength, key.length)) return false
    return this.#compareTie(index, key) === 0 && this.#hasPrefix(key)
  }

  /** True when entries `a` and `b` of this block have the same key. */
  isSameKey(a: number, b: number): boolean {
    if (this.heads[a] !== this.heads[b]) return false
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
    const head = this.heads[index] as number
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

  /** For a key at least as long as the prefix. */
  #hasPrefix(key: Uint8Array): boolean {
    const bytes = this.bytes
    const start = this.prefixStart
    for (let index = this.prefixLength - 1; index >= 0; index--) if (bytes[start + index] !== key[index]) return false
    return true
  }

  #searchTies(low: number, head: number, key: Uint8Array, seqno: number): number {
    const heads = this.heads
    let high = this.count
    while (low < high) {
      const middle = (low + high) >>> 1
      const found = heads[middle] as number
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
