/**
 * One version of a head as an object: a head frame with a mark, whose checksum is seeded with the shard's name.
 *
 * The mark is the nonce of the write, in hexadecimal digits: no two objects have the same bytes, hence not the same ETag.
 *
 * Spec: docs/formats/s3-objects.md.
 */

import type { Hash } from '../../kernel/hash.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { decodeHeadFrame, encodeHeadFrame } from '../head-frame.ts'
import type { HeadFrame } from '../head-frame.ts'

const FRAME: HeadFrame = Object.freeze({
  magic: 0x4f48_5356, // 'VSHO'
  format: 1,
  markBytes: 16,
  what: 'head object',
})

/** @param mark 16 ASCII characters */
export function encodeHeadObject(shard: ShardId, mark: string, content: Uint8Array, hash: Hash): Uint8Array {
  return encodeHeadFrame(FRAME, shard, mark, content, hash)
}

/**
 * @param key for errors
 * @returns a view of the content
 * @throws {VarveError} HEAD_CORRUPT — details: file, offset, reason
 * @throws {VarveError} INCOMPATIBLE — whole, but of another format
 */
export function decodeHeadObject(shard: ShardId, bytes: Uint8Array, key: string, hash: Hash): Uint8Array {
  return decodeHeadFrame(FRAME, shard, bytes, key, hash)
}
