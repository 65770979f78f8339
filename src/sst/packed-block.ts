/**
 * A data block as it is stored since version 2, and how it becomes the block that is searched (row-block.ts).
 *
 *      +---------+---------------+-------------+--------+------------+--------------+
 *      | count n | prefix length | seqno base  | shape  | tag size w | what is the  |
 *      | varint  | varint        | varint      | u8     | u8, 0…7    | same for all |
 *      +---------+---------------+-------------+--------+------------+--------------+
 *      | suffix lengths | value lengths | w planes of tags | 4 planes of heads | prefix | key rests | values |
 *      | n × 0,1,2,4 B  | n × 0,1,2,4 B | n × u8 each      | n × u8 each       |        |           |        |
 *      +----------------+---------------+------------------+-------------------+--------+-----------+--------+
 *
 *      shape   bits 0…1   bytes of a suffix length: 0 the same for all, 1 one, 2 two, 3 four
 *              bits 2…3   the same for value lengths
 *              bit 4      kinds are in the tags: a tag is (seqno − base) × 16 + kind; else it is seqno − base
 *      same    suffix length varint, value length varint, kind u8: each only where the shape says that it is the same
 *
 * A search wants offsets and heads in rows; a compressor wants lengths, and bytes that resemble their neighbours side by
 * side: a plane has byte j of every number, as the difference to the one before (the first: to 0). Numbered keys are then
 * runs of one byte, and equal lengths nothing at all. Unpacking costs about what checking offsets would.
 *
 * Spec: docs/formats/row-table.md. Planes are the byte shuffling of Blosc and of Parquet's BYTE_STREAM_SPLIT.
 */

import type { VarintCursor } from '../kernel/varint.ts'
import { readVarint } from '../kernel/varint.ts'
import type { BlockMemory } from './block-memory.ts'
import { readU32 } from './columns.ts'
import {
  PACKED_KINDS_VARY,
  PACKED_KIND_SCALE,
  PACKED_TAG_BYTES_MAX,
  ROW_SEQNO_SPAN,
  lengthBytes,
  rowBlockBytes,
  rowTagBytes,
} from './packed-shape.ts'
import {
  ROW_HEADER_BYTES,
  ROW_SAME_AT,
  ROW_SAME_RESTS,
  ROW_SAME_TAGS,
  ROW_SAME_VALUES,
  ROW_TAG_SCALE,
  ROW_WIDE_BYTES,
} from './row-block.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePlace } from './table-damage.ts'

/**
 * Unpacks in place: `block` ends with `packed`, and is the block afterwards. What comes last in both, most of it, lies where
 * it belongs already.
 *
 * @param scratch lends memory where `packed` is the end of `block`; undefined where it is somewhere else as well
 * @throws {VarveError} TABLE_CORRUPT
 */
export function unpackBlock(
  packed: Uint8Array,
  block: Uint8Array,
  scratch: BlockMemory | undefined,
  place: TablePlace,
): void {
  const length = block.length
  const limit = packed.length
  let columns = packed
  const cursor: VarintCursor = { at: 0 }
  const count = readVarint(columns, cursor, limit)
  const prefixLength = readVarint(columns, cursor, limit)
  const seqnoBase = readVarint(columns, cursor, limit)
  const shape = cursor.at < limit ? (columns[cursor.at++] as number) : 0xff
  const packedTagBytes = cursor.at < limit ? (columns[cursor.at++] as number) : 0xff
  const suffixBytes = lengthBytes(shape & 3)
  const valueBytes = lengthBytes((shape >>> 2) & 3)
  const kindsVary = (shape & PACKED_KINDS_VARY) !== 0
  const suffixSame = suffixBytes === 0 ? readVarint(columns, cursor, limit) : 0
  const valueSame = valueBytes === 0 ? readVarint(columns, cursor, limit) : 0
  const kindSame = kindsVary ? 0 : cursor.at < limit ? (columns[cursor.at++] as number) : 0xff
  if (count < 1 || prefixLength < 0 || seqnoBase < 0 || suffixSame < 0 || valueSame < 0)
    throw tableCorrupt(place, 'bad number in its header')
  if (shape >= PACKED_KINDS_VARY * 2 || packedTagBytes > PACKED_TAG_BYTES_MAX || kindSame >= PACKED_KIND_SCALE)
    throw tableCorrupt(place, 'bad shape')
  const suffixes = cursor.at
  const values = suffixes + count * suffixBytes
  const planes = values + count * valueBytes
  const heads = planes + count * packedTagBytes
  const content = heads + count * 4
  // Every entry has a head: this bounds the count, and all that is multiplied by it.
  if (content + prefixLength > limit) throw tableCorrupt(place, 'columns run past the end')
  const restTotal = suffixBytes === 0 ? count * restOf(suffixSame) : sumOfRests(columns, suffixes, suffixBytes, count)
  const valueTotal = valueBytes === 0 ? count * valueSame : sumOfLengths(columns, values, valueBytes, count)
  if (content + prefixLength + restTotal + valueTotal !== limit) throw tableCorrupt(place, 'areas do not add up')
  const tagBytes = rowTagBytes(packedTagBytes, kindsVary)
  if (rowBlockBytes(count, ROW_HEADER_BYTES + count * (4 + tagBytes) + limit - content) !== length)
    throw tableCorrupt(place, 'another length than the index says')
  if (scratch !== undefined) {
    columns = scratch.lend(content)
    columns.set(packed.subarray(0, content))
  }
  const wide = length >= ROW_WIDE_BYTES
  const offsetBytes = wide ? 4 : 2
  const keyOffsets = ROW_HEADER_BYTES + count * 4
  const valueOffsets = keyOffsets + (count + 1) * offsetBytes
  const tags = valueOffsets + (count + 1) * offsetBytes
  const view = new DataView(block.buffer, block.byteOffset, length)
  view.setUint32(0, count, true)
  view.setUint32(4, prefixLength, true)
  view.setUint32(8, seqnoBase >>> 0, true)
  view.setUint32(12, Math.floor(seqnoBase / 0x1_0000_0000), true)
  const sameTags = packedTagBytes === 0 && suffixBytes === 0
  view.setUint32(16, tagBytes, true)
  block[ROW_SAME_AT] =
    (suffixBytes === 0 ? ROW_SAME_RESTS : 0) | (valueBytes === 0 ? ROW_SAME_VALUES : 0) | (sameTags ? ROW_SAME_TAGS : 0)
  writeHeads(columns, heads, count, view)
  if (suffixBytes === 0) writeSteps(view, keyOffsets, count, restOf(suffixSame), wide)
  else writeRestOffsets(view, keyOffsets, count, columns, suffixes, suffixBytes, wide)
  if (valueBytes === 0) writeSteps(view, valueOffsets, count, valueSame, wide)
  else writeOffsets(view, valueOffsets, count, columns, values, valueBytes, wide)
  if (sameTags) {
    block.fill(padBits(suffixSame) + kindSame, tags, tags + count)
    return
  }
  // The first byte of every tag has the pad, whatever its size.
  for (let index = 0, at = tags; index < count; index++, at += tagBytes) {
    const suffix = suffixBytes === 0 ? suffixSame : lengthAt(columns, suffixes, suffixBytes, index)
    block[at] = padBits(suffix) + kindSame
  }
  if (packedTagBytes === 0) return
  if (tagBytes === 4) addNarrowTags(columns, planes, packedTagBytes, count, kindsVary, view, tags)
  else addTags(columns, planes, packedTagBytes, count, kindsVary, block, tags, tagBytes, place)
}

function writeHeads(columns: Uint8Array, at: number, count: number, view: DataView): void {
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let index = 0, to = ROW_HEADER_BYTES; index < count; index++, at++, to += 4) {
    a += columns[at] as number
    b += columns[at + count] as number
    c += columns[at + count * 2] as number
    d += columns[at + count * 3] as number
    view.setInt32(to, ((a & 255) << 24) | ((b & 255) << 16) | ((c & 255) << 8) | (d & 255), true)
  }
}

function writeSteps(view: DataView, at: number, count: number, step: number, wide: boolean): void {
  let offset = 0
  if (wide) for (let index = 0; index <= count; index++, at += 4, offset += step) view.setUint32(at, offset, true)
  else for (let index = 0; index <= count; index++, at += 2, offset += step) view.setUint16(at, offset, true)
}

function writeOffsets(
  view: DataView,
  at: number,
  count: number,
  columns: Uint8Array,
  lengths: number,
  bytes: number,
  wide: boolean,
): void {
  let offset = 0
  for (let index = 0; index < count; index++) {
    writeOffset(view, at, index, offset, wide)
    offset += lengthAt(columns, lengths, bytes, index)
  }
  writeOffset(view, at, count, offset, wide)
}

/** The same, of what of each length is not in the head. */
function writeRestOffsets(
  view: DataView,
  at: number,
  count: number,
  columns: Uint8Array,
  lengths: number,
  bytes: number,
  wide: boolean,
): void {
  let offset = 0
  for (let index = 0; index < count; index++) {
    writeOffset(view, at, index, offset, wide)
    offset += restOf(lengthAt(columns, lengths, bytes, index))
  }
  writeOffset(view, at, count, offset, wide)
}

function writeOffset(view: DataView, at: number, index: number, offset: number, wide: boolean): void {
  if (wide) view.setUint32(at + index * 4, offset, true)
  else view.setUint16(at + index * 2, offset, true)
}

/** Adds what up to three planes have to tags of four bytes at `at`, which have their pads. */
function addNarrowTags(
  columns: Uint8Array,
  plane: number,
  packedTagBytes: number,
  count: number,
  kindsVary: boolean,
  view: DataView,
  at: number,
): void {
  // A plane that is not there is read as another one, and masked.
  const second = packedTagBytes > 1 ? plane + count : plane
  const third = packedTagBytes > 2 ? plane + count * 2 : plane
  const mask = packedTagBytes > 2 ? 0xff_ffff : packedTagBytes > 1 ? 0xffff : 0xff
  let [low, middle, high] = [0, 0, 0]
  for (let index = 0; index < count; index++, at += 4) {
    low = (low + (columns[plane + index] as number)) & 255
    middle = (middle + (columns[second + index] as number)) & 255
    high = (high + (columns[third + index] as number)) & 255
    const found = (low | (middle << 8) | (high << 16)) & mask
    const tag = kindsVary ? ((found >>> 4) << 7) | (found & 15) : found << 7
    view.setInt32(at, tag | view.getUint8(at), true)
  }
}

/** The same for tags of any size, in numbers. */
function addTags(
  columns: Uint8Array,
  planes: number,
  packedTagBytes: number,
  count: number,
  kindsVary: boolean,
  block: Uint8Array,
  at: number,
  tagBytes: number,
  place: TablePlace,
): void {
  const bytes = new Uint8Array(PACKED_TAG_BYTES_MAX)
  for (let index = 0; index < count; index++, at += tagBytes) {
    let found = 0
    for (let plane = packedTagBytes - 1; plane >= 0; plane--) {
      // Modulo 256, as the array has it.
      bytes[plane] = (bytes[plane] as number) + (columns[planes + plane * count + index] as number)
      found = found * 256 + (bytes[plane] as number)
    }
    const kind = kindsVary ? found % PACKED_KIND_SCALE : 0
    const delta = kindsVary ? (found - kind) / PACKED_KIND_SCALE : found
    if (delta >= ROW_SEQNO_SPAN) throw tableCorrupt(place, 'seqnos too far apart')
    let tag = delta * ROW_TAG_SCALE + kind + (block[at] as number)
    for (let byte = 0; byte < tagBytes; byte++) {
      block[at + byte] = tag % 256
      tag = Math.floor(tag / 256)
    }
  }
}

function sumOfLengths(columns: Uint8Array, at: number, bytes: number, count: number): number {
  let sum = 0
  for (let index = 0; index < count; index++) sum += lengthAt(columns, at, bytes, index)
  return sum
}

function sumOfRests(columns: Uint8Array, at: number, bytes: number, count: number): number {
  let sum = 0
  for (let index = 0; index < count; index++) sum += restOf(lengthAt(columns, at, bytes, index))
  return sum
}

function lengthAt(columns: Uint8Array, column: number, bytes: number, index: number): number {
  if (bytes === 1) return columns[column + index] as number
  const at = column + index * bytes
  if (bytes === 2) return (columns[at] as number) | ((columns[at + 1] as number) << 8)
  return readU32(columns, at)
}

/** What of a suffix is not in its head. */
function restOf(suffix: number): number {
  return suffix > 4 ? suffix - 4 : 0
}

/** The pad, where a tag has it. */
function padBits(suffix: number): number {
  return suffix < 4 ? (4 - suffix) * 16 : 0
}
