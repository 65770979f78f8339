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

import { headOf } from '../kernel/bytes.ts'
import type { Found } from '../kernel/found.ts'
import type { BlockMemory, BlockPiece } from './block-memory.ts'
import { CachedBlock } from './block-queue.ts'
import type { CachedBlockOwner } from './block-queue.ts'
import { readU32 } from './columns.ts'
import type { KeyScratch } from './key-scratch.ts'
import type { LoneBlock } from './lone-block.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePlace } from './table-damage.ts'

export const ROW_HEADER_BYTES = 20
const ROW_TAG_BYTES_MAX = 7
/**
 * In memory the byte after the tag size says which columns have the same for every entry, and need not be looked at: three of the
 * eight fetches from memory that a get waits for (docs/performance-notes.md).
 */
export const ROW_SAME_AT = 17
export const ROW_SAME_RESTS = 1
export const ROW_SAME_VALUES = 2
/** Kind, pad, and the base for a seqno. */
export const ROW_SAME_TAGS = 4
/** Offsets are u32 in blocks of at least this many bytes. */
export const ROW_WIDE_BYTES = 0x10000
/** What a tag's delta is multiplied by. */
export const ROW_TAG_SCALE = 128

// What the objects around the bytes weigh: this one, 220 bytes on the heap (measured), and, where it has a buffer of its own,
// its views and that one's record outside the heap, with some for the allocator.
const OBJECT_BYTES = 512

export class RowBlock extends CachedBlock {
  /** What it is read through: memory that others have parts of. Every `…At` below counts from its start. */
  bytes: Uint8Array
  view: DataView
  /** Where they are from: the lease for who has a part of it. */
  piece: BlockPiece
  readonly count: number
  readonly prefixLength: number
  headsAt: number
  // What is needed to look for a head and to compare a prefix without touching more of the bytes than that: the first and the
  // last head without their last bit, the first four bytes of the prefix. As integers of 32 bits with a sign they are a part
  // of this object; others would be objects by themselves.
  readonly headFirst: number
  readonly headSpan: number
  readonly prefixHead: number
  keyOffsetsAt: number
  valueOffsetsAt: number
  tagsAt: number
  keysAt: number
  valuesAt: number
  readonly wide: boolean
  readonly tagBytes: number
  readonly seqnoBase: number
  /** Bytes of every key's rest, of every value, and every tag; −1 where they differ. */
  readonly #restSame: number
  readonly #valueSame: number
  readonly #tagSame: number
  #userCount = 0
  prefixStart: number
  /** Where the block ends. */
  limitAt: number
  /** It has one entry, was loaded for one reader and is in no cache: see `Found.own`. */
  own = false
  /** As it is stored, for a merge. */
  lone: LoneBlock | undefined = undefined
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
    const tagBytes = madeHere ? (bytes[16] as number) : readU32(bytes, 16)
    const same = madeHere ? (bytes[ROW_SAME_AT] as number) : 0
    if (count === 0) throw tableCorrupt(place, 'no entries')
    if (!Number.isSafeInteger(seqnoBase)) throw tableCorrupt(place, 'seqno base over 2^53')
    if (tagBytes < 1 || tagBytes > ROW_TAG_BYTES_MAX) throw tableCorrupt(place, 'bad tag size')
    const start = bytes.byteOffset - piece.bytes.byteOffset
    const limit = start + bytes.length
    this.piece = piece
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
    this.headFirst = this.headAt(0) >>> 1
    this.headSpan = (this.headAt(count - 1) >>> 1) - this.headFirst
    this.prefixHead = headOf(this.bytes, this.prefixStart, this.keysAt) | 0
    this.valuesAt = this.keysAt + this.offsetAt(this.keyOffsetsAt, count)
    if (this.valuesAt + this.offsetAt(this.valueOffsetsAt, count) !== limit)
      throw tableCorrupt(place, 'areas do not add up')
    this.#restSame = (same & ROW_SAME_RESTS) !== 0 ? this.offsetAt(this.keyOffsetsAt, 1) : -1
    this.#valueSame = (same & ROW_SAME_VALUES) !== 0 ? this.offsetAt(this.valueOffsetsAt, 1) : -1
    this.#tagSame = (same & ROW_SAME_TAGS) !== 0 ? (this.bytes[this.tagsAt] as number) : -1
    if (madeHere) return
    this.#checkAscending(this.keyOffsetsAt, place)
    this.#checkAscending(this.valueOffsetsAt, place)
    this.#checkPads(place)
  }

  override kept(): void {
    this.piece.use()
  }

  override dropped(): void {
    this.piece.leave()
  }

  /** The caller has it for longer than the call, until he leaves it. Meanwhile it stays where it is. */
  use(): void {
    this.#userCount++
    this.piece.use()
  }

  leave(): void {
    this.#userCount--
    this.piece.leave()
  }

  /** As `use`, by who does not say when he leaves. */
  lend(): this {
    this.piece.lend()
    return this
  }

  moveTo(memory: BlockMemory): void {
    const start = this.headsAt - ROW_HEADER_BYTES
    const length = this.limitAt - start
    if (length === this.bytes.buffer.byteLength || this.#userCount > 0) return
    const copy = memory.take(length)
    copy.set(this.bytes.subarray(start, start + length))
    const piece = memory.pieceOf(copy)
    const shift = copy.byteOffset - piece.bytes.byteOffset - start
    piece.use()
    this.piece.leave()
    this.piece = piece
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

  seqnoAt(index: number): number {
    if (this.#tagSame >= 0) return this.seqnoBase
    return this.seqnoBase + Math.floor(this.#tag(index) / ROW_TAG_SCALE)
  }

  kindAt(index: number): number {
    return this.#tagByte(index) & 15
  }

  /** How many of the head's bytes are not of the key. */
  padAt(index: number): number {
    return (this.#tagByte(index) >>> 4) & 7
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
    const same = this.#valueSame
    const start = same >= 0 ? index * same : this.offsetAt(this.valueOffsetsAt, index)
    into.kind = this.kindAt(index)
    into.seqno = this.seqnoAt(index)
    into.block = this.bytes
    into.valueStart = this.valuesAt + start
    into.valueLength = same >= 0 ? same : this.offsetAt(this.valueOffsetsAt, index + 1) - start
    into.own = this.own
  }

  headAt(index: number): number {
    return this.view.getUint32(this.headsAt + index * 4, true)
  }

  #tagByte(index: number): number {
    const same = this.#tagSame
    return same >= 0 ? same : (this.bytes[this.tagsAt + index * this.tagBytes] as number)
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
    const same = this.#restSame
    return this.keysAt + (same >= 0 ? index * same : this.offsetAt(this.keyOffsetsAt, index))
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
