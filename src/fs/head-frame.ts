/**
 * What stands around the content of a head, in a file or an object.
 *
 *      0       4         8        12       16             16 + mark   24 + mark   24 + mark + length
 *      +-------+---------+--------+--------+--------------+-----------+---------+
 *      | magic | format  | length | zero   | mark         | checksum  | content |
 *      | u32   | u32     | u32    | u32    | 0 or 16 B    | u64       |         |
 *      +-------+---------+--------+--------+--------------+-----------+---------+
 *
 * `checksum` is XXH64 of what is before it and the content, seeded with where the head belongs. It is compared before
 * anything else is believed, so INCOMPATIBLE is never said of damaged bytes.
 *
 * Specs: docs/formats/head-store.md, docs/formats/s3-objects.md.
 */

import { assert } from '../kernel/assert.ts'
import { VarveError } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'

const LENGTH_AT = 8
const ZERO_AT = 12
const MARK_AT = 16
const CHECKSUM_BYTES = 8
const TEXT = new TextEncoder()

/** What one kind of head has in its frame. */
export interface HeadFrame {
  /** Read as a little-endian u32. */
  readonly magic: number
  readonly format: number
  readonly markBytes: number
  /** For errors: `head file`. */
  readonly what: string
}

export function headFrameBytes({ markBytes }: HeadFrame): number {
  return MARK_AT + markBytes + CHECKSUM_BYTES
}

/**
 * @param place where the head belongs: it is damaged anywhere else
 * @param mark `markBytes` ASCII characters
 */
export function encodeHeadFrame(
  frame: HeadFrame,
  place: string,
  mark: string,
  content: Uint8Array,
  hash: Hash,
): Uint8Array {
  const header = headFrameBytes(frame)
  const bytes = new Uint8Array(header + content.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, frame.magic, true)
  view.setUint32(4, frame.format, true)
  view.setUint32(LENGTH_AT, content.length, true)
  const marked = TEXT.encode(mark)
  assert(marked.length === frame.markBytes, `a mark has ${frame.markBytes} characters`)
  bytes.set(marked, MARK_AT)
  bytes.set(content, header)
  view.setBigUint64(header - CHECKSUM_BYTES, checksumOf(place, bytes, header, hash), true)
  return bytes
}

/**
 * @param file for errors
 * @returns a view of the content
 * @throws {VarveError} HEAD_CORRUPT — details: file, offset, reason
 * @throws {VarveError} INCOMPATIBLE — whole, but of another format
 */
export function decodeHeadFrame(
  frame: HeadFrame,
  place: string,
  bytes: Uint8Array,
  file: string,
  hash: Hash,
): Uint8Array {
  const header = headFrameBytes(frame)
  if (bytes.length < header) throw damagedHead(file, bytes.length, 'it ends early')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0, true) !== frame.magic) throw damagedHead(file, 0, 'it is no head')
  const checksumAt = header - CHECKSUM_BYTES
  if (view.getBigUint64(checksumAt, true) !== checksumOf(place, bytes, header, hash))
    throw damagedHead(file, checksumAt, 'its checksum does not match')
  const format = view.getUint32(4, true)
  if (format !== frame.format) {
    throw new VarveError(
      'INCOMPATIBLE',
      `${file} has format ${format}, this version of varve reads ${frame.format}; nothing was changed`,
      { details: { what: `${frame.what} format`, found: format, expected: frame.format, file } },
    )
  }
  if (view.getUint32(LENGTH_AT, true) !== bytes.length - header)
    throw damagedHead(file, LENGTH_AT, 'its length does not match')
  if (view.getUint32(ZERO_AT, true) !== 0) throw damagedHead(file, ZERO_AT, 'it is not zero')
  return bytes.subarray(header)
}

export function damagedHead(file: string, offset: number, reason: string): VarveError {
  return new VarveError('HEAD_CORRUPT', `${file} is damaged at byte ${offset}: ${reason}`, {
    details: { file, offset, reason },
  })
}

/** Covers the header up to the checksum, and the content. */
function checksumOf(place: string, bytes: Uint8Array, header: number, hash: Hash): bigint {
  const stream = hash.stream64(hash.hash64(TEXT.encode(place), 0n))
  stream.update(bytes.subarray(0, header - CHECKSUM_BYTES))
  stream.update(bytes.subarray(header))
  return stream.digest()
}
