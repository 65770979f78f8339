/**
 * One version of a head as a file.
 *
 *      <shard>.head-<version, 16 digits>
 *
 *      0       4         8        12       16          24        24 + length
 *      +-------+---------+--------+--------+-----------+---------+
 *      | magic | format  | length | zero   | checksum  | content |
 *      | u32   | u32     | u32    | u32    | u64       |         |
 *      +-------+---------+--------+--------+-----------+---------+
 *
 * `checksum` is XXH64 of the 16 bytes before it and the content, seeded with the file's name: a head under another name
 * is a damaged head. It is compared before anything else is believed, so INCOMPATIBLE is never said of a damaged file.
 *
 * Spec: docs/formats/head-store.md.
 */

import { VarveError } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import type { ShardId } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'

const MAGIC = 0x4452_4856 // 'VHRD', read as a little-endian u32
const FORMAT_VERSION = 1
const LENGTH_AT = 8
const ZERO_AT = 12
const CHECKSUM_AT = 16
const HEADER_BYTES = 24
const VERSION_DIGITS = 16

/** Longest head file. */
export const HEAD_FILE_BYTES_MAX = HEADER_BYTES + LIMITS.headBytesMax

export function headFileName(shard: ShardId, version: number): string {
  return `${shard}.head-${String(version).padStart(VERSION_DIGITS, '0')}`
}

/** The version in the name of a head of `shard`, or undefined: it is the name of something else. */
export function headFileVersion(shard: ShardId, name: string): number | undefined {
  const prefix = `${shard}.head-`
  if (!name.startsWith(prefix)) return undefined
  const digits = name.slice(prefix.length)
  return /^[0-9]{16}$/.test(digits) ? Number(digits) : undefined
}

export function encodeHeadFile(shard: ShardId, version: number, content: Uint8Array, hash: Hash): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + content.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, MAGIC, true)
  view.setUint32(4, FORMAT_VERSION, true)
  view.setUint32(LENGTH_AT, content.length, true)
  bytes.set(content, HEADER_BYTES)
  view.setBigUint64(CHECKSUM_AT, checksumOf(shard, version, bytes, hash), true)
  return bytes
}

/**
 * @param path for errors
 * @returns a view of the content
 * @throws {VarveError} HEAD_CORRUPT — details: file, offset, reason
 * @throws {VarveError} INCOMPATIBLE — whole, but of another format
 */
export function decodeHeadFile(
  shard: ShardId,
  version: number,
  bytes: Uint8Array,
  path: string,
  hash: Hash,
): Uint8Array {
  if (bytes.length < HEADER_BYTES) throw damaged(path, bytes.length, 'it ends early')
  if (bytes.length > HEAD_FILE_BYTES_MAX) throw damaged(path, HEAD_FILE_BYTES_MAX, 'it is too long')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0, true) !== MAGIC) throw damaged(path, 0, 'it is no head')
  if (view.getBigUint64(CHECKSUM_AT, true) !== checksumOf(shard, version, bytes, hash))
    throw damaged(path, CHECKSUM_AT, 'its checksum does not match')
  const format = view.getUint32(4, true)
  if (format !== FORMAT_VERSION) {
    throw new VarveError(
      'INCOMPATIBLE',
      `${path} has format ${format}, this version of varve reads ${FORMAT_VERSION}; nothing was changed`,
      { details: { what: 'head file format', found: format, expected: FORMAT_VERSION, file: path } },
    )
  }
  if (view.getUint32(LENGTH_AT, true) !== bytes.length - HEADER_BYTES)
    throw damaged(path, LENGTH_AT, 'its length does not match')
  if (view.getUint32(ZERO_AT, true) !== 0) throw damaged(path, ZERO_AT, 'it is not zero')
  return bytes.subarray(HEADER_BYTES)
}

/** Covers the header up to the checksum, and the content; seeded with where the head belongs. */
function checksumOf(shard: ShardId, version: number, bytes: Uint8Array, hash: Hash): bigint {
  const stream = hash.stream64(hash.hash64(new TextEncoder().encode(headFileName(shard, version)), 0n))
  stream.update(bytes.subarray(0, CHECKSUM_AT))
  stream.update(bytes.subarray(HEADER_BYTES))
  return stream.digest()
}

function damaged(file: string, offset: number, reason: string): VarveError {
  return new VarveError('HEAD_CORRUPT', `${file} is damaged at byte ${offset}: ${reason}`, {
    details: { file, offset, reason },
  })
}
