/**
 * One version of a head as an object.
 *
 *      0       4         8        12       16      32          40        40 + length
 *      +-------+---------+--------+--------+-------+-----------+---------+
 *      | magic | format  | length | zero   | mark  | checksum  | content |
 *      | u32   | u32     | u32    | u32    | 16 B  | u64       |         |
 *      +-------+---------+--------+--------+-------+-----------+---------+
 *
 * `mark` is the nonce of the write, in hexadecimal digits: no two objects have the same bytes, hence not the same ETag.
 * `checksum` is XXH64 of the 32 bytes before it and the content, seeded with the shard's name. It is compared before
 * anything else is believed, so INCOMPATIBLE is never said of a damaged object.
 *
 * Spec: docs/formats/s3-objects.md.
 */

import { assert } from '../../kernel/assert.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { ShardId } from '../../kernel/ids.ts'

const MAGIC = 0x4f48_5356 // 'VSHO', read as a little-endian u32
const FORMAT_VERSION = 1
const LENGTH_AT = 8
const ZERO_AT = 12
const MARK_AT = 16
const CHECKSUM_AT = 32
const HEADER_BYTES = 40

const TEXT = new TextEncoder()

/** @param mark 16 ASCII characters */
export function encodeHeadObject(shard: ShardId, mark: string, content: Uint8Array, hash: Hash): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + content.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, FORMAT_VERSION, true)
  view.setUint32(LENGTH_AT, content.length, true)
  const marked = TEXT.encode(mark)
  assert(marked.length === CHECKSUM_AT - MARK_AT, 'a mark has 16 characters')
  bytes.set(marked, MARK_AT)
  bytes.set(content, HEADER_BYTES)
  view.setBigUint64(CHECKSUM_AT, checksumOf(shard, bytes, hash), true)
  return bytes
}

/**
 * @param key for errors
 * @returns a view of the content
 * @throws {VarveError} HEAD_CORRUPT — details: file, offset, reason
 * @throws {VarveError} INCOMPATIBLE — whole, but of another format
 */
export function decodeHeadObject(shard: ShardId, bytes: Uint8Array, key: string, hash: Hash): Uint8Array {
  if (bytes.length < HEADER_BYTES) throw damaged(key, bytes.length, 'it ends early')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0, true) !== MAGIC) throw damaged(key, 0, 'it is no head')
  if (view.getBigUint64(CHECKSUM_AT, true) !== checksumOf(shard, bytes, hash))
    throw damaged(key, CHECKSUM_AT, 'its checksum does not match')
  const format = view.getUint32(4, true)
  if (format !== FORMAT_VERSION) {
    throw new VarveError(
      'INCOMPATIBLE',
      `${key} has format ${format}, this version of varve reads ${FORMAT_VERSION}; nothing was changed`,
      { details: { what: 'head object format', found: format, expected: FORMAT_VERSION, file: key } },
    )
  }
  if (view.getUint32(LENGTH_AT, true) !== bytes.length - HEADER_BYTES)
    throw damaged(key, LENGTH_AT, 'its length does not match')
  if (view.getUint32(ZERO_AT, true) !== 0) throw damaged(key, ZERO_AT, 'it is not zero')
  return bytes.subarray(HEADER_BYTES)
}

/** Covers the header up to the checksum, and the content; seeded with whose head it is. */
function checksumOf(shard: ShardId, bytes: Uint8Array, hash: Hash): bigint {
  const stream = hash.stream64(hash.hash64(TEXT.encode(shard), 0n))
  stream.update(bytes.subarray(0, CHECKSUM_AT))
  stream.update(bytes.subarray(HEADER_BYTES))
  return stream.digest()
}

function damaged(file: string, offset: number, reason: string): VarveError {
  return new VarveError('HEAD_CORRUPT', `${file} is damaged at byte ${offset}: ${reason}`, {
    details: { file, offset, reason },
  })
}
