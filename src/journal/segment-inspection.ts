/**
 * A segment as it lies on the device, for tools: every frame that can be found, whatever lies between them.
 *
 * Judges nothing: which frames are part of the log is recovery's business (recovery.ts).
 */

import { PENDING } from '../kernel/cursor.ts'
import type { DeviceFile } from '../kernel/device.ts'
import type { Hash } from '../kernel/hash.ts'
import { FrameCursor } from './frame-cursor.ts'
import { FRAME_BATCH, FRAME_BATCHES } from './frame.ts'
import { SEGMENT_HEADER_BYTES, decodeSegmentHeader } from './segment-header.ts'
import type { SegmentHeader } from './segment-header.ts'

export interface InspectedFrame {
  /** Where it begins in the file, and where it ends. */
  readonly offset: number
  readonly endOffset: number
  readonly kind: 'batches' | 'batch' | 'mark'
  /** Of its first batch. */
  readonly position: number
  readonly payloadBytes: number
  readonly syncedUpTo: number
  /** Its batches, which are valid until the next item is asked for; undefined: its body is damaged. */
  readonly batches: readonly InspectedBatch[] | undefined
}

export interface InspectedBatch {
  readonly position: number
  readonly payload: Uint8Array
}

export type SegmentItem =
  /** First of all; undefined: it is damaged. */
  | { readonly type: 'header'; readonly header: SegmentHeader | undefined }
  | { readonly type: 'frame'; readonly frame: InspectedFrame }
  /** Bytes that are no frame. Zeros are written ahead of the log. */
  | { readonly type: 'other'; readonly offset: number; readonly endOffset: number; readonly zeros: boolean }

const READ_BYTES = 1024 * 1024

/**
 * @param identity of the segment, which seeds its checksums
 * @throws {VarveError} INCOMPATIBLE — a newer format; IO_FAILED
 */
export async function* inspectSegment(
  file: DeviceFile,
  identity: number,
  hash: Hash,
): AsyncGenerator<SegmentItem, void, undefined> {
  const head = new Uint8Array(SEGMENT_HEADER_BYTES)
  const headBytes = await file.read(head, 0)
  yield { type: 'header', header: decodeSegmentHeader(head.subarray(0, headBytes), identity, file.path) }
  const size = await file.size()
  const cursor = new FrameCursor(file, hash, identity, SEGMENT_HEADER_BYTES, size, READ_BYTES)
  let offset = Math.min(size, SEGMENT_HEADER_BYTES)
  for (;;) {
    const found = cursor.next()
    if (found === PENDING) {
      await cursor.fill()
      continue
    }
    const frameOffset = found ? cursor.offset : size
    if (frameOffset > offset) {
      yield { type: 'other', offset, endOffset: frameOffset, zeros: await areZeros(file, offset, frameOffset) }
    }
    if (!found) return
    yield { type: 'frame', frame: frameAt(cursor) }
    offset = Math.min(size, cursor.endOffset)
  }
}

function frameAt(cursor: FrameCursor): InspectedFrame {
  const { kind, position, payloadBytes, syncedUpTo } = cursor.header
  const batches: InspectedBatch[] = []
  const isWhole = cursor.intact() && cursor.visit((payload, at) => void batches.push({ payload, position: at }))
  return {
    offset: cursor.offset,
    endOffset: cursor.endOffset,
    kind: kind === FRAME_BATCHES ? 'batches' : kind === FRAME_BATCH ? 'batch' : 'mark',
    position,
    payloadBytes,
    syncedUpTo,
    batches: isWhole ? batches : undefined,
  }
}

async function areZeros(file: DeviceFile, start: number, limit: number): Promise<boolean> {
  const piece = new Uint8Array(Math.min(READ_BYTES, limit - start))
  for (let at = start; at < limit; at += piece.length) {
    const length = await file.read(piece.subarray(0, Math.min(piece.length, limit - at)), at)
    if (piece.subarray(0, length).some((byte) => byte !== 0)) return false
  }
  return true
}
