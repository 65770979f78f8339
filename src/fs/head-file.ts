/**
 * One version of a head as a file, `<shard>.head-<version, 16 digits>`: a head frame without a mark, whose checksum is
 * seeded with the file's name, so that a head under another name is a damaged head.
 *
 * Spec: docs/formats/head-store.md.
 */

import type { Hash } from '../kernel/hash.ts'
import { isShardId } from '../kernel/ids.ts'
import type { ShardId } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import { damagedHead, decodeHeadFrame, encodeHeadFrame, headFrameBytes } from './head-frame.ts'
import type { HeadFrame } from './head-frame.ts'

const FRAME: HeadFrame = Object.freeze({
  magic: 0x4452_4856, // 'VHRD'
  format: 1,
  markBytes: 0,
  what: 'head file',
})
const VERSION_DIGITS = 16

/** Longest head file. */
export const HEAD_FILE_BYTES_MAX = headFrameBytes(FRAME) + LIMITS.headBytesMax

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

/** The shard of which it is the name of a head, or undefined: it is the name of something else. */
export function headFileShard(name: string): ShardId | undefined {
  const [shard = ''] = name.split('.', 1)
  return isShardId(shard) && headFileVersion(shard, name) !== undefined ? shard : undefined
}

export function encodeHeadFile(shard: ShardId, version: number, content: Uint8Array, hash: Hash): Uint8Array {
  return encodeHeadFrame(FRAME, headFileName(shard, version), '', content, hash)
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
  if (bytes.length > HEAD_FILE_BYTES_MAX) throw damagedHead(path, HEAD_FILE_BYTES_MAX, 'it is too long')
  return decodeHeadFrame(FRAME, headFileName(shard, version), bytes, path, hash)
}
