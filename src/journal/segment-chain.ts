/**
 * The segments of one shard's journal, in order: what is read and dropped whole, whoever wrote it.
 *
 * Only what lies below `end` belongs to the log. A reader of a position that is not asked for never looks at it: damage
 * in a part the shard no longer needs is not reported.
 */

import { copyOf } from '../kernel/bytes.ts'
import { PENDING } from '../kernel/cursor.ts'
import type { Device, DeviceDirectory, DeviceFile } from '../kernel/device.ts'
import { VarveError, isCode } from '../kernel/errors.ts'
import type { Hash } from '../kernel/hash.ts'
import { KIB } from '../kernel/limits.ts'
import { FrameCursor } from './frame-cursor.ts'
import { journalCorrupt } from './journal-corrupt.ts'
import { endMissing } from './lost-end.ts'
import type { LostEnd } from './lost-end.ts'
import { SEGMENT_HEADER_BYTES } from './segment-header.ts'
import { compareSegments, segmentName } from './segment-id.ts'
import type { Segment } from './segment.ts'

// A point read begins at most 64 KiB before its frame (segment-index.ts), and most frames are small.
const POINT_READ_BYTES = 128 * KIB
// What is first replayed in a process runs some ten times slower, until it is compiled, and holds the thread for as long.
const FIRST_REPLAY_BYTES = 16 * KIB

/** Takes files of segments that are dropped. */
export interface SegmentHeir {
  /** False where it has no use for the file, which is closed: then it is removed. True: the name has gone, durably. */
  adopt(dropped: Segment, directory: DeviceDirectory): Promise<boolean>
}

export type VisitBatch = (payload: Uint8Array, position: number) => void

export class SegmentChain {
  readonly #device: Device
  readonly #hash: Hash
  readonly #directory: string
  readonly #readBytes: number
  readonly #segments: Segment[]
  readonly #lost: LostEnd | undefined
  /** Position just past the last batch that has been written. */
  end: number

  constructor(
    device: Device,
    hash: Hash,
    directory: string,
    readBytes: number,
    recovered: { readonly segments: readonly Segment[]; readonly end: number; readonly lost?: LostEnd | undefined },
  ) {
    this.#device = device
    this.#hash = hash
    this.#directory = directory
    this.#readBytes = readBytes
    this.#segments = [...recovered.segments]
    this.end = recovered.end
    this.#lost = recovered.lost
  }

  get start(): number {
    return this.#segments.find((segment) => segment.present && segment.end > segment.base)?.base ?? this.end
  }

  get storedBytes(): number {
    let sum = 0
    for (const segment of this.#segments) sum += segment.storedBytes
    return sum
  }

  get segments(): readonly Segment[] {
    return this.#segments
  }

  push(segment: Segment): void {
    this.#segments.push(segment)
  }

  /** What replay would find missing from `from` on, without a look at any file. @throws {VarveError} JOURNAL_CORRUPT */
  checkWhole(from: number): void {
    let position = from
    let former: Segment | undefined
    for (const segment of this.#segments) {
      if (segment.end > from) {
        this.#checkNext(former, segment, position)
        position = segment.end
      }
      former = segment
    }
    if (position < this.end) throw this.#gap(former, undefined, position, this.end)
  }

  /** Visits every batch in [from, end). @throws {VarveError} JOURNAL_CORRUPT */
  async replay(from: number, visit: VisitBatch): Promise<number> {
    const end = this.end
    let position = from
    let former: Segment | undefined
    // A copy: truncate may run meanwhile.
    for (const segment of this.#segments.slice()) {
      if (segment.end > from) {
        this.#checkNext(former, segment, position)
        position = await this.#replaySegment(segment, segment.end, from, visit)
      }
      former = segment
    }
    if (position < end || from > end) throw this.#gap(former, undefined, position, end)
    return end
  }

  /** Bytes [position, position + length) of one batch, which has been written. */
  async read(position: number, length: number): Promise<Uint8Array> {
    const segment = this.#segments.find((candidate) => candidate.base <= position && position < candidate.end)
    if (segment === undefined || !segment.present) {
      throw new VarveError('NOT_FOUND', `the journal has no batch at ${position}`, { details: { position } })
    }
    const file = await segment.open(this.#device)
    const cursor = await this.#cursor(segment, file, position, POINT_READ_BYTES, POINT_READ_BYTES)
    for (;;) {
      const found = cursor.next()
      if (found === PENDING) await cursor.fill()
      else if (!found) break
      else if (cursor.header.position > position) break
      else if (cursor.header.position + cursor.header.payloadBytes > position)
        return copyBatch(cursor, segment, position, length)
      else segment.index.add(cursor.header.position, cursor.offset)
    }
    throw journalCorrupt(segment.path, cursor.offset, `there is no record for position ${position}`)
  }

  /**
   * Removes segments wholly before `position`, oldest first, each durably before the next: so that after a power cut
   * what is left has no gap, which recovery would take for a loss.
   *
   * @param active the segment that takes writes by now: it may have come, empty still, while others were removed
   * @param heir takes files that are removed, where it has a use for them
   */
  async truncate(position: number, active: () => Segment | undefined, heir: SegmentHeir): Promise<void> {
    for (;;) {
      const oldest = this.#segments[0]
      if (oldest === undefined || oldest === active() || oldest.end > position) return
      if (oldest.present) await this.#remove(oldest, heir)
      // Of what could not be removed durably the next call begins. Another one may have been faster.
      if (this.#segments[0] === oldest) this.#segments.shift()
    }
  }

  /** Idempotent. */
  async close(): Promise<void> {
    for (const segment of this.#segments) await segment.close()
  }

  async #remove(segment: Segment, heir: SegmentHeir): Promise<void> {
    // First: where no descriptor is left nothing has happened yet.
    const directory = await this.#device.openDirectory(this.#directory)
    try {
      segment.kept = false
      await segment.close()
      if (await heir.adopt(segment, directory)) return
      await this.#device.unlink(segment.path).catch((error: unknown) => {
        if (!isCode(error, 'NOT_FOUND')) throw error
      })
      await directory.sync()
    } finally {
      await directory.close()
    }
  }

  async #replaySegment(segment: Segment, end: number, from: number, visit: VisitBatch): Promise<number> {
    // One that is open costs no descriptor: a process that has none left can still find out what it has written.
    const lent = await segment.opened
    const file = lent ?? (await openPresent(this.#device, segment))
    try {
      const cursor = await this.#cursor(segment, file, from, this.#readBytes, FIRST_REPLAY_BYTES)
      const place = segment.index.floor(from)
      let position = place?.position ?? segment.base
      let offset = place?.offset ?? SEGMENT_HEADER_BYTES
      const visitWanted: VisitBatch = (payload, at) => {
        if (at >= from) visit(payload, at)
      }
      while (position < end) {
        const found = cursor.next()
        if (found === PENDING) {
          await cursor.fill()
          continue
        }
        if (!found) break
        const { header } = cursor
        if (header.position < position) continue // Left by an earlier write at the same place.
        if (header.position > position && header.position > from) break
        const next = header.position + header.payloadBytes
        if (next > end) break
        if (next > from) {
          if (!cursor.intact()) throw journalCorrupt(segment.path, cursor.offset, 'wrong checksum')
          if (!cursor.visit(header.position >= from ? visit : visitWanted)) {
            throw journalCorrupt(segment.path, cursor.offset, 'the batches do not fill the record')
          }
        }
        segment.index.add(header.position, cursor.offset)
        position = next
        offset = cursor.endOffset
      }
      if (position < end) {
        throw journalCorrupt(segment.path, offset, `there is no valid record for positions ${position}…${end}`)
      }
      // Where the committed state says only the position.
      if (position === segment.end) segment.endOffset ??= offset
      return position
    } finally {
      if (lent === undefined) await file.close()
    }
  }

  async #cursor(
    segment: Segment,
    file: DeviceFile,
    position: number,
    readBytes: number,
    firstReadBytes: number,
  ): Promise<FrameCursor> {
    const start = segment.index.floor(position)?.offset ?? SEGMENT_HEADER_BYTES
    const limit = segment.endOffset ?? (await file.size())
    return new FrameCursor(file, this.#hash, segment.identity, start, limit, readBytes, firstReadBytes)
  }

  #checkNext(former: Segment | undefined, segment: Segment, position: number): void {
    if (!segment.present) throw journalCorrupt(segment.path, 0, 'the file is missing')
    if (segment.base > position) throw this.#gap(former, segment, position, segment.base)
  }

  /** Names the missing segment where the numbers tell which it is, otherwise what is before the gap. */
  #gap(former: Segment | undefined, next: Segment | undefined, position: number, end: number): VarveError {
    const reason = `positions ${position}…${end} are missing`
    if (next !== undefined) {
      const before = { ...next.id, index: next.id.index - 1 }
      const known = former !== undefined && compareSegments(former.id, before) >= 0
      if (before.index > 0 && !known) return journalCorrupt(`${this.#directory}/${segmentName(before)}`, 0, reason)
    }
    if (next === undefined && this.#lost !== undefined) return endMissing(this.#directory, this.#lost, former, reason)
    return journalCorrupt(former?.path ?? this.#directory, former?.endOffset ?? 0, reason)
  }
}

async function openPresent(device: Device, segment: Segment): Promise<DeviceFile> {
  try {
    return await device.open(segment.path, 'read')
  } catch (error) {
    if (isCode(error, 'NOT_FOUND')) throw journalCorrupt(segment.path, 0, 'the file is missing')
    throw error
  }
}

function copyBatch(cursor: FrameCursor, segment: Segment, position: number, length: number): Uint8Array {
  if (!cursor.intact()) throw journalCorrupt(segment.path, cursor.offset, 'wrong checksum')
  let copy: Uint8Array | undefined
  const sound = cursor.visit((payload, at) => {
    if (at <= position && position + length <= at + payload.length)
      copy = copyOf(payload, position - at, position - at + length)
  })
  if (!sound) throw journalCorrupt(segment.path, cursor.offset, 'the batches do not fill the record')
  if (copy === undefined) throw new RangeError(`${length} bytes at ${position} are not within one batch`)
  return copy
}
