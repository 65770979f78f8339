/**
 * Frames: what a segment is made of after its header. One write is one frame, so it is found whole or not at all.
 *
 *      0          4        8          12         16         20           28            36
 *      +----------+--------+----------+----------+----------+------------+-------------+----------------+
 *      | checksum | kind   | body     | payload  | body     | position   | syncedUpTo  | body           |
 *      | u32      | u32    | bytes u32| bytes u32| check u32| u64        | u64         |                |
 *      +----------+--------+----------+----------+----------+------------+-------------+----------------+
 *
 * `checksum` is XXH32 of bytes 4 … 36, seeded with the segment's identity; `body check` is XXH32 of the body, seeded
 * with identity and position. `position` is that of the first batch, `payload bytes` the sum over all batches.
 * `syncedUpTo` is the highest position known to be on stable storage when the frame was written.
 *
 *      FRAME_BATCHES  body = (varint length, payload)*     small batches, written together
 *      FRAME_BATCH    body = payload                       one large batch
 *      FRAME_MARK     body is empty                        carries only the watermark; written by close
 *
 * The kinds are magic words: recovery searches for them behind damage. Zero is none of them, so preallocated zeros read
 * as the end of the log (LevelDB's reserved zero, db/log_format.h). Spec: docs/formats/journal.md.
 */

import { hashKey } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'

export const FRAME_HEADER_BYTES = 36

/**
 * What is stored beyond this is no position: 8 PiB of payload, less a TiB, so that whoever opens has room to go on before
 * numbers are rounded.
 */
export const POSITION_MAX = 2 ** 53 - 2 ** 40

/** First byte of every kind: rare in text. */
export const FRAME_KIND_BYTE = 0xd6
export const FRAME_BATCHES = 0x01_46_4a_d6
export const FRAME_BATCH = 0x02_46_4a_d6
export const FRAME_MARK = 0x03_46_4a_d6
/** Where the kind is in the header. */
export const FRAME_KIND_OFFSET = 4

/** A decoded header. Reused, so that walking a log allocates nothing. */
export interface FrameHeader {
  kind: number
  bodyBytes: number
  payloadBytes: number
  bodyCheck: number
  position: number
  syncedUpTo: number
}

export function emptyFrameHeader(): FrameHeader {
  return { kind: 0, bodyBytes: 0, payloadBytes: 0, bodyCheck: 0, position: 0, syncedUpTo: 0 }
}

/** Writes the header at the start of `bytes`. `view` is over the same bytes. */
export function writeFrameHeader(bytes: Uint8Array, view: DataView, header: FrameHeader, identity: number): void {
  view.setUint32(4, header.kind, true)
  view.setUint32(8, header.bodyBytes, true)
  view.setUint32(12, header.payloadBytes, true)
  view.setUint32(16, header.bodyCheck, true)
  setU64(view, 20, header.position)
  setU64(view, 28, header.syncedUpTo)
  view.setUint32(0, hashKey(bytes, 4, FRAME_HEADER_BYTES, identity), true)
}

/** Reads the header at `at`, which has 36 bytes; false, and `into` is garbage, where there is no valid one. */
export function readFrameHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  identity: number,
  into: FrameHeader,
): boolean {
  const kind = view.getUint32(at + FRAME_KIND_OFFSET, true)
  if (kind !== FRAME_BATCHES && kind !== FRAME_BATCH && kind !== FRAME_MARK) return false
  if (view.getUint32(at, true) !== hashKey(bytes, at + 4, at + FRAME_HEADER_BYTES, identity)) return false
  into.kind = kind
  into.bodyBytes = view.getUint32(at + 8, true)
  into.payloadBytes = view.getUint32(at + 12, true)
  into.bodyCheck = view.getUint32(at + 16, true)
  into.position = getU64(view, at + 20)
  into.syncedUpTo = getU64(view, at + 28)
  return into.position + into.payloadBytes <= POSITION_MAX && into.syncedUpTo <= POSITION_MAX
}

// Below this, XXH32 in JavaScript is faster than the call into WebAssembly.
const HASH_IN_PLACE_BYTES_MAX = 96

/** Checksum of a frame's body, bytes[start…limit). */
export function bodyCheck(
  hash: Hash,
  bytes: Uint8Array,
  start: number,
  limit: number,
  identity: number,
  position: number,
): number {
  const seed = (identity ^ position) >>> 0
  if (limit - start <= HASH_IN_PLACE_BYTES_MAX) return hashKey(bytes, start, limit, seed)
  return hash.hash32(bytes.subarray(start, limit), seed)
}

/** Two words instead of a BigInt, which would be allocated. */
export function setU64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true)
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true)
}

/** Beyond 2^53 the value is rounded: bytes that a checksum covers never are. */
export function getU64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000
}
