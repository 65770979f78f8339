/**
 * The last frame of a log whose owner may still be at work: a new owner takes it into a file of its own.
 *
 * An owner whose write failed takes back what it may have left: it looks at its fence, and cuts its segment. Between the two it
 * may be stopped, and replaced by one that has found the frame whole and counts on it: the cut then took what that one had
 * recovered. All that such an owner ever cuts is one frame, above its watermark, at the end of its log. So that frame is stored
 * again before it is committed that it is part of the log, and the former segment ends before it.
 *
 * The file is numbered 0 and has the new owner's name, which nobody else uses. What does not come to be committed is a copy of
 * what the former segment still has.
 */

import { copyOf } from '../kernel/bytes.ts'
import { PENDING } from '../kernel/cursor.ts'
import { isCode } from '../kernel/errors.ts'
import { FrameCursor } from './frame-cursor.ts'
import { FRAME_HEADER_BYTES, bodyCheck, writeFrameHeader } from './frame.ts'
import type { FrameHeader } from './frame.ts'
import type { Recovered, RecoveryComponents } from './recovery.ts'
import { SEGMENT_HEADER_BYTES, encodeSegmentHeader } from './segment-header.ts'
import { KEPT_INDEX } from './segment-id.ts'
import type { SegmentId } from './segment-id.ts'
import { Segment } from './segment.ts'

interface LastFrame {
  readonly header: FrameHeader
  readonly body: Uint8Array
  /** Where it is in its segment. */
  readonly offset: number
}

/**
 * Stores the last frame of `recovered` again, durably, where it may not be on stable storage. Where there is no space for that it
 * stays where it is.
 *
 * @param owner the new one
 * @returns undefined where the former owner has just cut it off: recover again
 * @throws {VarveError} what the device throws
 */
export async function keepLastFrame(
  components: RecoveryComponents,
  recovered: Recovered,
  owner: Omit<SegmentId, 'index'>,
): Promise<Recovered | undefined> {
  const last = recovered.segments.at(-1)
  // Ends that the committed state lists were settled before they were committed.
  if (last?.endOffset === undefined || last.end <= recovered.syncedUpTo) return recovered
  // Cut at its beginning: what is before it is not the end of what its owner wrote.
  if (last.end === last.base) return recovered
  const frame = await readLastFrame(components, last)
  if (frame === undefined) return undefined
  const id = { epoch: owner.epoch, attempt: owner.attempt, index: KEPT_INDEX }
  const kept = new Segment(components.directory, components.shard, id, frame.header.position)
  try {
    await store(components, kept, frame, recovered.syncedUpTo)
  } catch (error) {
    if (!isCode(error, 'NO_SPACE')) throw error
    return recovered
  }
  kept.end = last.end
  const { segments, ignored } = recovered
  if (frame.header.position === last.base) {
    return { ...recovered, segments: [...segments.slice(0, -1), kept], ignored: [...ignored, last.id] }
  }
  last.end = frame.header.position
  last.endOffset = frame.offset
  return { ...recovered, segments: [...segments, kept] }
}

async function readLastFrame(
  { device, hash, readBytes }: RecoveryComponents,
  { path, identity, end, endOffset, index }: Segment,
): Promise<LastFrame | undefined> {
  const file = await device.open(path, 'read')
  try {
    const start = index.floor(end - 1)?.offset ?? SEGMENT_HEADER_BYTES
    const cursor = new FrameCursor(file, hash, identity, start, endOffset ?? start, readBytes)
    for (;;) {
      const found = cursor.next()
      if (found === PENDING) {
        await cursor.fill()
        continue
      }
      if (!found) return undefined
      const { header, offset } = cursor
      const isLast = header.payloadBytes > 0 && header.position + header.payloadBytes === end
      if (isLast && cursor.intact()) return { header: { ...header }, body: copyOf(cursor.body()), offset }
    }
  } finally {
    await file.close()
  }
}

async function store(
  { device, hash, directory }: RecoveryComponents,
  kept: Segment,
  { header, body }: LastFrame,
  syncedUpTo: number,
): Promise<void> {
  const { id, identity, path, base } = kept
  const bytes = new Uint8Array(FRAME_HEADER_BYTES)
  const check = bodyCheck(hash, body, 0, body.length, identity, base)
  const moved = { ...header, bodyCheck: check, syncedUpTo }
  writeFrameHeader(bytes, new DataView(bytes.buffer), moved, identity)
  const file = await device.open(path, 'create')
  try {
    await file.write([encodeSegmentHeader(id, { base, syncedUpTo }, identity), bytes, body], 0)
    await file.sync()
  } catch (error) {
    // Only tidiness: nothing refers to it.
    await device.unlink(path).catch(() => undefined)
    throw error
  } finally {
    await file.close()
  }
  await device.syncDirectory(directory)
  kept.storedBytes = kept.endOffset = SEGMENT_HEADER_BYTES + bytes.length + body.length
  kept.index.add(base, SEGMENT_HEADER_BYTES)
}
