/**
 * Recovery: which segments make up the log, and where it ends.
 *
 * Segments of earlier owners are listed in the committed state with their ends. Those of the last owner are scanned:
 *
 * - the watermark is the highest `syncedUpTo` in any of their valid frames and headers, in the witness beside
 *   them, and where the owner's log began
 * - a doubt (damage, or missing bytes) at or above the watermark is what a power cut leaves of bytes that were never
 *   synced: the log ends there, and valid frames behind it are ignored
 * - a doubt below the watermark was on stable storage once. It stays in the log, nothing is cut, and whoever replays
 *   it gets JOURNAL_CORRUPT
 *
 * What is lost below the position from which the shard will replay leaves no gap: files have taken its place, and it was
 * perhaps never synced. Where the log is lost from there to beyond that position, it begins anew at that position.
 *
 * A missing first segment is a doubt like any other, once it is known that the shard still needs it: truncate would not
 * have dropped it.
 *
 * Damage to the last synced frames, which no later frame bears witness of, cannot be told from a torn write. So every
 * sync leaves a witness beside the segments, and a clean close a mark at the end of the log, and the end itself beside the
 * fence, which saves the scan. Rule: docs/formats/journal.md, "Recovery".
 */

import type { Device, DeviceFile } from '../kernel/device.ts'
import type { VarveError } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import type { ShardId } from '../kernel/ids.ts'
import { closedSegments } from './closed-log.ts'
import type { Closing } from './fence.ts'
import { journalCorrupt } from './journal-corrupt.ts'
import type { JournalState } from './journal-state.ts'
import { begunSegments, listSegments, openListed } from './listed-segments.ts'
import { lostEnd } from './lost-end.ts'
import type { LostEnd } from './lost-end.ts'
import { readSegmentHeader, refuseMisplaced } from './segment-header.ts'
import { KEPT_INDEX, compareSegments, sameOwner, segmentName } from './segment-id.ts'
import type { SegmentId } from './segment-id.ts'
import { scanSegment } from './segment-scan.ts'
import type { Doubt, PlaceInLog } from './segment-scan.ts'
import { Segment } from './segment.ts'

export interface RecoveryComponents {
  readonly device: Device
  readonly hash: Hash
  readonly directory: string
  readonly shard: ShardId
  readonly readBytes: number
  /** Whether the owner may be at work meanwhile. */
  readonly readOnly: boolean
}

/** What an owner says of its log outside the segments. */
export interface LeftBehind {
  /** Where the log ended when it was closed. */
  readonly closing: Closing | undefined
  /** What lies below is on stable storage. */
  readonly syncedUpTo: number
}

export interface Recovered {
  /** The log, in order. */
  readonly segments: readonly Segment[]
  readonly end: number
  /** What lies below is known to be on stable storage. */
  readonly syncedUpTo: number
  /** What is missing at the end. */
  readonly lost: LostEnd | undefined
  /** Segments that are not part of the log. */
  readonly ignored: readonly SegmentId[]
}

/**
 * @param needed nothing before this position will be read, and truncate has dropped nothing at or after it; undefined where
 *   that is not known
 * @param left what the last owner said of its log
 * @throws {VarveError} JOURNAL_CORRUPT, INCOMPATIBLE
 */
export async function recover(
  components: RecoveryComponents,
  state: JournalState | undefined,
  needed: number | undefined,
  left: LeftBehind,
): Promise<Recovered> {
  const { directory, shard } = components
  const listed = await listSegments(components.device, directory, state)
  if (state === undefined) {
    if (listed[0] !== undefined) throw unknownOwner(directory, listed[0])
    return { segments: [], end: 0, syncedUpTo: 0, lost: undefined, ignored: listed }
  }
  // What an owner keeps before it is committed is a copy.
  const last = listed.filter(({ index }) => index !== KEPT_INDEX).at(-1)
  if (last !== undefined && !sameOwner(last, state) && compareSegments(last, { ...state, index: 0 }) > 0) {
    throw unknownOwner(directory, last)
  }
  const names = new Set(listed.map(segmentName))
  const former = state.segments.map(({ id, base, end }) => {
    const segment = new Segment(directory, shard, id, base)
    segment.end = end
    segment.endOffset = undefined
    segment.present = names.has(segmentName(id))
    return segment
  })
  for (const segment of former) {
    if (segment.present) segment.storedBytes = (await components.device.stat(segment.path))?.bytes ?? 0
  }
  // Dropped by an earlier truncate, where it is not needed.
  while (former[0] !== undefined && !former[0].present && former[0].end <= (needed ?? Infinity)) former.shift()
  const own = await begunSegments(components, listed, state, left.closing)
  const scanned = await recoverOwner(components, own, state, needed, left)
  const segments = [...former, ...scanned.segments]
  const kept = new Set(segments.map(({ id }) => segmentName(id)))
  return {
    segments,
    end: scanned.end,
    syncedUpTo: scanned.syncedUpTo,
    lost: scanned.lost,
    ignored: listed.filter((id) => !kept.has(segmentName(id))),
  }
}

/**
 * Makes what was recovered durable: it is about to be visible, and later synced batches build on it.
 *
 * Bytes above the watermark are written again in place before the sync, because an earlier process may have seen a sync
 * fail: the system then takes the pages for clean and a further sync would do nothing (PostgreSQL's lesson of 2018).
 */
export async function settle(components: RecoveryComponents, recovered: Recovered): Promise<void> {
  let settled = false
  for (const segment of recovered.segments) {
    // Ends that the committed state lists were settled before they were committed.
    if (segment.endOffset === undefined || segment.end <= recovered.syncedUpTo) continue
    // It has just been stored.
    if (segment.id.index === KEPT_INDEX) continue
    const file = await components.device.open(segment.path, 'write')
    try {
      await rewrite(
        file,
        segment.index.floor(recovered.syncedUpTo)?.offset ?? 0,
        segment.endOffset,
        components.readBytes,
      )
      await file.sync()
    } finally {
      await file.close()
    }
    settled = true
  }
  if (settled) await components.device.syncDirectory(components.directory)
}

async function rewrite(file: DeviceFile, start: number, limit: number, pieceBytes: number): Promise<void> {
  const buffer = new Uint8Array(Math.min(pieceBytes, limit - start))
  for (let at = start; at < limit;) {
    const piece = buffer.subarray(0, Math.min(buffer.length, limit - at))
    const got = await file.read(piece, at)
    if (got !== piece.length) throw journalCorrupt(file.path, at + got, 'the file has shrunk')
    await file.write([piece], at)
    at += got
  }
}

/** The segments of the last owner, up to where its log ends. */
async function recoverOwner(
  components: RecoveryComponents,
  ids: readonly SegmentId[],
  state: JournalState,
  needed: number | undefined,
  left: LeftBehind,
): Promise<Omit<Recovered, 'ignored'>> {
  const { closing } = left
  const { start } = state
  const closed = closing === undefined ? undefined : await closedSegments(components, ids, start, closing)
  if (closing !== undefined && closed !== undefined) {
    return { segments: closed, end: closing.end, syncedUpTo: closing.end, lost: undefined }
  }
  // Nothing below may be cut, and an end that is not reached was lost.
  const synced = Math.max(start, closing?.end ?? 0, left.syncedUpTo)
  const scanned = await scanOwner(components, ids, synced, needed, start)
  if (scanned.end >= synced) return { ...scanned, lost: undefined }
  const lost = lostEnd(state, ids.at(-1), (needed ?? start) <= start, closing)
  return { ...scanned, end: synced, lost }
}

/** @param synced what lies below was on stable storage */
async function scanOwner(
  components: RecoveryComponents,
  ids: readonly SegmentId[],
  synced: number,
  needed: number | undefined,
  start = synced,
): Promise<Omit<Recovered, 'ignored' | 'lost'>> {
  const { device, hash, directory, shard, readBytes } = components
  const segments: Segment[] = []
  const doubts: Doubt[] = []
  let syncedUpTo = synced
  let position = start
  /** Where the log would go on, if its first segment were there. */
  let missing: number | undefined
  /** What a gap behind the segment before means. */
  let ofFormer: PlaceInLog | undefined
  for (const id of ids) {
    const path = `${directory}/${segmentName(id)}`
    const file = await openListed(device, path)
    if (file === undefined) {
      gone(components, path)
      continue
    }
    try {
      const probe = new Segment(directory, shard, id, position)
      const header = await readSegmentHeader(file, probe.identity)
      if (header === undefined) await refuseMisplaced(file, shard, ids[0] as SegmentId)
      // A base below: left by a creation that failed, after which the predecessor went on. Its frames, if any, are below.
      const base = Math.max(header?.base ?? position, position)
      if (base > position) {
        if (ofFormer !== undefined) doubts.push({ ...ofFormer, until: base })
        // Before the first there may have been others, which truncate dropped.
        else if (needed !== undefined && needed < base) missing = Math.max(start, needed)
      }
      const segment = base === position ? probe : new Segment(directory, shard, id, base)
      const scan = await scanSegment(segment, file, hash, readBytes)
      if ((await device.stat(path)) === undefined) {
        gone(components, path)
        continue
      }
      doubts.push(...scan.doubts)
      syncedUpTo = Math.max(syncedUpTo, header?.syncedUpTo ?? 0, scan.syncedUpTo)
      position = segment.end
      // Without frames it never came to be: its successor, if any, begins where it would have.
      if (segment.end === segment.base) continue
      segments.push(segment)
      ofFormer = scan.atEnd
    } finally {
      await file.close()
    }
  }
  if (missing !== undefined && missing >= syncedUpTo) return { segments: [], end: missing, syncedUpTo }
  const neededFrom = needed ?? 0
  const cut = cutOf(doubts, syncedUpTo, neededFrom)
  const end = cut?.position ?? position
  if (end < neededFrom && syncedUpTo <= neededFrom) return { segments: [], end: neededFrom, syncedUpTo: neededFrom }
  // What is not needed need not be settled.
  const settledUpTo = Math.max(syncedUpTo, neededFrom)
  if (cut === undefined) return { segments, end, syncedUpTo: settledUpTo }
  cut.segment.end = end
  cut.segment.endOffset = cut.offset
  return { segments: segments.slice(0, segments.indexOf(cut.segment) + 1), end, syncedUpTo: settledUpTo }
}

/**
 * Where the log ends before its segments do. What is lost before `needed` leaves no gap in it; what is lost at or above
 * `needed` and below the watermark stays, for whoever replays it to find.
 */
function cutOf(doubts: readonly Doubt[], syncedUpTo: number, needed: number): Doubt | undefined {
  return doubts.find(({ position, until }) => until > needed && Math.max(position, needed) >= syncedUpTo)
}

/**
 * A segment was dropped since it was listed, by its owner, who may be writing another one to the file: what was read of it does
 * not count. Who only reads has to read the head again; the state of whoever opens will not be committed.
 */
function gone({ readOnly }: RecoveryComponents, path: string): void {
  if (readOnly) throw journalCorrupt(path, 0, 'it was dropped while it was read')
}

function unknownOwner(directory: string, id: SegmentId): VarveError {
  return journalCorrupt(
    `${directory}/${segmentName(id)}`,
    0,
    'it is of an owner that the committed state does not know',
  )
}
