/**
 * The first 64 bytes of a segment.
 *
 *      0          4       8         12             16      24        28      32      40           48     64
 *      +----------+-------+---------+--------------+-------+---------+-------+-------+------------+------+
 *      | checksum | magic | version | header bytes | epoch | attempt | index | base  | syncedUpTo | zero |
 *      | u32      | u32   | u32     | u32          | u64   | u32     | u32   | u64   | u64        |      |
 *      +----------+-------+---------+--------------+-------+---------+-------+-------+------------+------+
 *
 * `checksum` is XXH32 of bytes 4 … 64, seeded with the segment's identity. `base` is the position of its first batch.
 */

import { assert } from '../kernel/assert.ts'
import type { DeviceFile } from '../kernel/device.ts'
import { VarveError } from '../kernel/errors.ts'
import { hashKey } from '../kernel/hash.ts'
import type { ShardId } from '../kernel/ids.ts'
import { POSITION_MAX, getU64, setU64 } from './frame.ts'
import { journalCorrupt } from './journal-corrupt.ts'
import { sameOwner, segmentIdentity, segmentName } from './segment-id.ts'
import type { SegmentId } from './segment-id.ts'

export const SEGMENT_HEADER_BYTES = 64
export const SEGMENT_FORMAT_VERSION = 1
const MAGIC = 0x47_53_4a_d6

export interface SegmentHeader {
  readonly base: number
  readonly syncedUpTo: number
}

export function encodeSegmentHeader(id: SegmentId, header: SegmentHeader, identity: number): Uint8Array {
  assert(id.attempt <= 0xffff_ffff && id.index <= 0xffff_ffff, 'segment number out of range')
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(4, MAGIC, true)
  view.setUint32(8, SEGMENT_FORMAT_VERSION, true)
  view.setUint32(12, SEGMENT_HEADER_BYTES, true)
  setU64(view, 16, id.epoch)
  view.setUint32(24, id.attempt, true)
  view.setUint32(28, id.index, true)
  setU64(view, 32, header.base)
  setU64(view, 40, header.syncedUpTo)
  view.setUint32(0, hashKey(bytes, 4, SEGMENT_HEADER_BYTES, identity), true)
  return bytes
}

/**
 * Undefined where the bytes are no valid header: damage, or a creation that a power cut undid.
 *
 * @throws {VarveError} INCOMPATIBLE — valid, and of a newer format
 */
export function decodeSegmentHeader(bytes: Uint8Array, identity: number, path: string): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (view.getUint32(4, true) !== MAGIC) return undefined
  if (view.getUint32(0, true) !== hashKey(bytes, 4, SEGMENT_HEADER_BYTES, identity)) return undefined
  const version = view.getUint32(8, true)
  if (version !== SEGMENT_FORMAT_VERSION) {
    throw new VarveError(
      'INCOMPATIBLE',
      `${path} has journal format ${version}, this varve reads ${SEGMENT_FORMAT_VERSION}`,
      {
        details: { what: path, found: version, expected: SEGMENT_FORMAT_VERSION },
      },
    )
  }
  const header = { base: getU64(view, 32), syncedUpTo: getU64(view, 40) }
  return header.base <= POSITION_MAX && header.syncedUpTo <= POSITION_MAX ? header : undefined
}

/** Like `decodeSegmentHeader`, from an open segment. */
export async function readSegmentHeader(file: DeviceFile, identity: number): Promise<SegmentHeader | undefined> {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
  const length = await file.read(bytes, 0)
  return decodeSegmentHeader(bytes.subarray(0, length), identity, file.path)
}

/** Which of the shard's segments a whole header says that this is; undefined where there is none. */
export async function readSegmentId(file: DeviceFile, shard: ShardId): Promise<SegmentId | undefined> {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
  if ((await file.read(bytes, 0)) < SEGMENT_HEADER_BYTES) return undefined
  const view = new DataView(bytes.buffer)
  if (view.getUint32(4, true) !== MAGIC) return undefined
  const id = { epoch: getU64(view, 16), attempt: view.getUint32(24, true), index: view.getUint32(28, true) }
  if (!Number.isSafeInteger(id.epoch)) return undefined
  const check = hashKey(bytes, 4, SEGMENT_HEADER_BYTES, segmentIdentity(shard, id))
  return view.getUint32(0, true) === check ? id : undefined
}

/**
 * For a segment whose header is none of its own: one that was put in its place is no torn write. One that was dropped before
 * `oldest`, of the same owner, is: its file was to be used again, and a power cut took the new header.
 *
 * @param oldest of the owner's segments that are there
 * @throws {VarveError} JOURNAL_CORRUPT — the header is whole, and of another segment
 */
export async function refuseMisplaced(file: DeviceFile, shard: ShardId, oldest: SegmentId): Promise<void> {
  const id = await readSegmentId(file, shard)
  if (id === undefined || isUsedAgain(id, oldest)) return
  throw journalCorrupt(file.path, 0, `it is ${segmentName(id)}, perhaps of another database`)
}

/** Whether a file with the header of `former` can be one that its owner uses again: that segment was dropped. */
export function isUsedAgain(former: SegmentId, oldest: SegmentId): boolean {
  return sameOwner(former, oldest) && former.index < oldest.index
}
