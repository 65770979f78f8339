/** Makes checksums of journal files right again, in bytes that were changed. */

import { hashKey } from '../../src/kernel/hash.ts'
import type { Hash } from '../../src/kernel/hash.ts'
import type { ShardId } from '../../src/kernel/ids.ts'
import { parentOf } from '../../src/fs/device-path.ts'
import { FRAME_HEADER_BYTES, bodyCheck, emptyFrameHeader, getU64, readFrameHeader } from '../../src/journal/frame.ts'
import { SEGMENT_HEADER_BYTES } from '../../src/journal/segment-header.ts'
import { parseSegmentName, segmentIdentity } from '../../src/journal/segment-id.ts'

/** Of the journal's state in the head: in its last word. */
export function sealState(bytes: Uint8Array, identity: number): void {
  if (bytes.length < 4) return
  const end = bytes.length - 4
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(end, hashKey(bytes, 0, end, identity), true)
}

/** A checksum in the first word of [start, limit), of the rest. */
export function sealWord(bytes: Uint8Array, start: number, limit: number, seed: number): void {
  if (bytes.length < limit || limit - start < 4) return
  const check = hashKey(bytes, start + 4, limit, seed)
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(start, check, true)
}

/** Header and frames with right checksums, as far as each header leads to the next. */
export function resealed(bytes: Uint8Array, from: number, to: number, hash: Hash): Uint8Array {
  const copy = bytes.slice()
  const view = new DataView(copy.buffer)
  sealWord(copy, 0, SEGMENT_HEADER_BYTES, to)
  const header = emptyFrameHeader()
  for (let at = SEGMENT_HEADER_BYTES; at + FRAME_HEADER_BYTES <= copy.length;) {
    const bodyStart = at + FRAME_HEADER_BYTES
    const bodyBytes = Math.min(view.getUint32(at + 8, true), copy.length - bodyStart)
    // Of another segment: only what is whole there is taken over.
    if (from !== to && !readFrameHeader(copy, view, at, from, header)) break
    if ((copy[at + 4] ?? 0) === 0) break
    const check = bodyCheck(hash, copy, bodyStart, bodyStart + bodyBytes, to, getU64(view, at + 20))
    view.setUint32(at + 16, check, true)
    sealWord(copy, at, bodyStart, to)
    at = bodyStart + bodyBytes
  }
  return copy
}

export function segmentIdentityOf(shard: ShardId, path: string): number {
  const id = parseSegmentName(path.slice(parentOf(path).length + 1))
  return id === undefined ? 0 : segmentIdentity(shard, id)
}
