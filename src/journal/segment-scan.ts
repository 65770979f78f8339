/**
 * Finds what a segment holds whose end nobody recorded: its owner is gone.
 *
 * One pass over all valid frames, also those behind damage. What is damaged or missing is only noted, as a doubt: whether
 * it was ever synced is known when the whole log has been seen (recovery.ts).
 */

import { PENDING } from '../kernel/cursor.ts'
import type { DeviceFile } from '../kernel/device.ts'
import type { Hash } from '../kernel/hash.ts'
import { FrameCursor } from './frame-cursor.ts'
import { SEGMENT_HEADER_BYTES } from './segment-header.ts'
import type { Segment } from './segment.ts'

export interface PlaceInLog {
  readonly segment: Segment
  readonly position: number
  /** Where that is in the file. */
  readonly offset: number
}

/** A place where the log does not go on as it should: the first position that is damaged or missing. */
export interface Doubt extends PlaceInLog {
  /** Position where it does go on. */
  readonly until: number
}

export interface Scan {
  /** Highest position that any valid frame says is on stable storage. */
  readonly syncedUpTo: number
  readonly doubts: readonly Doubt[]
  /** The end of the segment, for where what follows is missing. */
  readonly atEnd: PlaceInLog
}

/** Scans from `segment.base`, and sets the segment's end, index and size. */
export async function scanSegment(segment: Segment, file: DeviceFile, hash: Hash, readBytes: number): Promise<Scan> {
  const bytes = await file.size()
  const cursor = new FrameCursor(file, hash, segment.identity, SEGMENT_HEADER_BYTES, bytes, readBytes)
  const doubts: Doubt[] = []
  const { header } = cursor
  let position = segment.base
  let offset = SEGMENT_HEADER_BYTES
  let syncedUpTo = 0
  for (;;) {
    const found = cursor.next()
    if (found === PENDING) {
      await cursor.fill()
      continue
    }
    if (!found) break
    if (header.syncedUpTo > syncedUpTo) syncedUpTo = header.syncedUpTo
    if (header.position < position) continue // Left by an earlier write at the same place.
    if (header.position > position) doubts.push({ segment, position, until: header.position, offset })
    const until = header.position + header.payloadBytes
    if (!cursor.intact()) doubts.push({ segment, position: header.position, until, offset: cursor.offset })
    segment.index.add(header.position, cursor.offset)
    position = until
    // The body of a damaged one may end beyond the file: nobody is to read, or make room for, what is not there.
    offset = Math.min(cursor.endOffset, bytes)
  }
  segment.end = position
  segment.endOffset = offset
  segment.storedBytes = bytes
  return { syncedUpTo, doubts, atEnd: { segment, position, offset } }
}
