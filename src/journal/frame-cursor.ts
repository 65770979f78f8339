/**
 * Walks the frames of one segment, forwards, in large reads.
 *
 * `next` is synchronous over the bytes at hand and answers PENDING for those it lacks; `fill` reads them. Where the log
 * is damaged the cursor goes on at the next valid header, wherever that is: frames are not aligned, so it looks at every
 * byte for the first one of a frame's kind. Only recovery from damage pays for that, about 1 ms for each MiB without a
 * frame, and writing pays no padding. Callers see the gap in the positions.
 */

import { assert } from '../kernel/assert.ts'
import { PENDING } from '../kernel/cursor.ts'
import type { Pending } from '../kernel/cursor.ts'
import type { DeviceFile } from '../kernel/device.ts'
import type { Hash } from '../kernel/hash.ts'
import { readVarint } from '../kernel/varint.ts'
import {
  FRAME_BATCH,
  FRAME_BATCHES,
  FRAME_HEADER_BYTES,
  FRAME_KIND_BYTE,
  FRAME_KIND_OFFSET,
  bodyCheck,
  emptyFrameHeader,
  readFrameHeader,
} from './frame.ts'

export class FrameCursor {
  /** Of the current frame. */
  readonly header = emptyFrameHeader()
  /** Where the current frame begins in the file. */
  offset = 0
  readonly #file: DeviceFile
  readonly #hash: Hash
  readonly #identity: number
  readonly #limit: number
  readonly #readBytesMax: number
  #readBytes: number
  #buffer: Uint8Array
  #view: DataView
  /** The buffer holds file bytes [#start, #start + #length). */
  #start: number
  #length = 0
  /** Where the next frame should begin. */
  #at: number
  /** Bytes that must be at hand from #at on for `next` to get further. */
  #wanted = FRAME_HEADER_BYTES
  #bodyAtHand = false
  readonly #varint = { at: 0 }

  /**
   * @param start,limit offsets in the file; what is at or after `limit` is not looked at
   * @param firstReadBytes each read is twice the one before it, from this up to `readBytes`
   */
  constructor(
    file: DeviceFile,
    hash: Hash,
    identity: number,
    start: number,
    limit: number,
    readBytes: number,
    firstReadBytes: number = readBytes,
  ) {
    this.#file = file
    this.#hash = hash
    this.#identity = identity
    this.#start = start
    this.#at = start
    this.#limit = limit
    this.#readBytesMax = Math.max(readBytes, 2 * FRAME_HEADER_BYTES)
    this.#readBytes = Math.min(Math.max(firstReadBytes, 2 * FRAME_HEADER_BYTES), this.#readBytesMax)
    this.#buffer = new Uint8Array(Math.min(this.#readBytesMax, Math.max(limit - start, FRAME_HEADER_BYTES)))
    this.#view = new DataView(this.#buffer.buffer)
  }

  /** Offset just past the current frame. */
  get endOffset(): number {
    return this.offset + FRAME_HEADER_BYTES + this.header.bodyBytes
  }

  /** True: at a frame with a valid header. False: no further one. PENDING: call `fill`, then `next` again. */
  next(): boolean | Pending {
    for (;;) {
      if (this.#limit - this.#at < FRAME_HEADER_BYTES) return false
      const at = this.#at - this.#start
      if (this.#length - at < this.#wanted && this.#start + this.#length < this.#limit) return PENDING
      if (!readFrameHeader(this.#buffer, this.#view, at, this.#identity, this.header)) {
        this.#at = this.#start + this.#nextCandidate(at + 1)
        this.#wanted = FRAME_HEADER_BYTES
        continue
      }
      const frameBytes = FRAME_HEADER_BYTES + this.header.bodyBytes
      const whole = frameBytes <= this.#limit - this.#at
      if (whole && this.#length - at < frameBytes && this.#start + this.#length < this.#limit) {
        this.#wanted = frameBytes
        return PENDING
      }
      this.offset = this.#at
      this.#bodyAtHand = this.#length - at >= frameBytes
      // A header whose body is cut off still tells its position. What follows it is inside the lost body.
      this.#at = whole ? this.#at + frameBytes : this.#limit
      this.#wanted = FRAME_HEADER_BYTES
      return true
    }
  }

  /** Reads on. Bodies of earlier frames are gone after this. */
  async fill(): Promise<void> {
    const keep = this.#at - this.#start
    assert(keep <= this.#length, 'the cursor stands beyond what it has read')
    const wanted = Math.min(Math.max(this.#wanted, this.#readBytes), this.#limit - this.#at)
    if (wanted > this.#buffer.length) {
      const grown = new Uint8Array(wanted)
      grown.set(this.#buffer.subarray(keep, this.#length))
      this.#buffer = grown
      this.#view = new DataView(grown.buffer)
    } else {
      this.#buffer.copyWithin(0, keep, this.#length)
    }
    this.#start = this.#at
    this.#length -= keep
    const room = Math.min(wanted, this.#limit - this.#start)
    const got = await this.#file.read(this.#buffer.subarray(this.#length, room), this.#start + this.#length)
    this.#length += got
    this.#readBytes = Math.min(this.#readBytes * 2, this.#readBytesMax)
    // Shorter than it was when the caller asked for its size: what is missing reads as zeros, which are no frame.
    if (this.#length < room) {
      this.#buffer.fill(0, this.#length, room)
      this.#length = room
    }
  }

  /** Whether the current frame's body is all there and has the checksum its header says. */
  intact(): boolean {
    if (!this.#bodyAtHand) return false
    const start = this.offset - this.#start + FRAME_HEADER_BYTES
    const { bodyBytes, position } = this.header
    const check = bodyCheck(this.#hash, this.#buffer, start, start + bodyBytes, this.#identity, position)
    return check === this.header.bodyCheck
  }

  /** Of the current frame, which is intact; a view until `fill` is called. */
  body(): Uint8Array {
    const start = this.offset - this.#start + FRAME_HEADER_BYTES
    return this.#buffer.subarray(start, start + this.header.bodyBytes)
  }

  /**
   * Visits the batches of the current frame, which is intact, with the position of each.
   *
   * @returns false where the body is not what its header says: a defect of the writer
   */
  visit(visit: (payload: Uint8Array, position: number) => void): boolean {
    const start = this.offset - this.#start + FRAME_HEADER_BYTES
    const limit = start + this.header.bodyBytes
    let position = this.header.position
    if (this.header.kind === FRAME_BATCH) {
      if (this.header.payloadBytes !== this.header.bodyBytes) return false
      visit(this.#buffer.subarray(start, limit), position)
      return true
    }
    if (this.header.kind !== FRAME_BATCHES) return this.header.payloadBytes === 0
    const end = position + this.header.payloadBytes
    const cursor = this.#varint
    for (cursor.at = start; cursor.at < limit;) {
      const length = readVarint(this.#buffer, cursor, limit)
      const at = cursor.at
      if (length < 1 || length > limit - at || length > end - position) return false
      visit(this.#buffer.subarray(at, at + length), position)
      cursor.at = at + length
      position += length
    }
    return position === end
  }

  /** Where in the buffer, from `at` on, a frame could begin. */
  #nextCandidate(at: number): number {
    const found = this.#buffer.indexOf(FRAME_KIND_BYTE, at + FRAME_KIND_OFFSET)
    if (found >= 0 && found < this.#length) return found - FRAME_KIND_OFFSET
    // The last bytes may be the beginning of one whose kind is not at hand yet.
    return Math.max(at, this.#length - FRAME_KIND_OFFSET)
  }
}
