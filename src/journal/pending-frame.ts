/**
 * A frame on its way to the log: the batches of one turn that fit, or one large batch.
 *
 * Small payloads are copied into a pooled buffer with room for the header in front, so that the frame is one contiguous
 * write; a large one is written from where it is. Everybody in a frame shares its promises.
 */

import type { Hash } from '../kernel/hash.ts'
import { KIB } from '../kernel/limits.ts'
import { varintLength, writeVarint } from '../kernel/varint.ts'
import { Deferred } from './deferred.ts'
import { FRAME_BATCH, FRAME_BATCHES, FRAME_HEADER_BYTES, FRAME_MARK, bodyCheck, writeFrameHeader } from './frame.ts'

// Copying 16 KiB costs about as much as a second part in a vectored write.
const COPIED_BYTES_MAX = 16 * KIB
// Bounds what a point read has to check; the header and the write are already amortised.
const STAGING_BYTES = 64 * KIB
// More buffers are waiting only when the device is behind.
const POOLED_MAX = 8

export interface Staging {
  readonly bytes: Uint8Array
  readonly view: DataView
}

export class StagingPool {
  readonly #free: Staging[] = []

  take(): Staging {
    return this.#free.pop() ?? staging(STAGING_BYTES)
  }

  give(buffer: Staging): void {
    if (buffer.bytes.length === STAGING_BYTES && this.#free.length < POOLED_MAX) this.#free.push(buffer)
  }
}

export class PendingFrame {
  /** Of the first batch. */
  readonly position: number
  payloadBytes = 0
  readonly written = new Deferred()
  synced: Deferred | undefined
  #bodyBytes = 0
  readonly #kind: number
  readonly #staging: Staging
  readonly #payload: Uint8Array | undefined

  private constructor(position: number, kind: number, buffer: Staging, payload: Uint8Array | undefined) {
    this.position = position
    this.#kind = kind
    this.#staging = buffer
    this.#payload = payload
    if (payload === undefined) return
    this.payloadBytes = payload.length
    this.#bodyBytes = payload.length
  }

  /** A frame that begins with `payload`. */
  static of(payload: Uint8Array, position: number, pool: StagingPool): PendingFrame {
    if (payload.length > COPIED_BYTES_MAX) {
      return new PendingFrame(position, FRAME_BATCH, staging(FRAME_HEADER_BYTES), payload)
    }
    const frame = new PendingFrame(position, FRAME_BATCHES, pool.take(), undefined)
    frame.add(payload)
    return frame
  }

  static mark(position: number): PendingFrame {
    return new PendingFrame(position, FRAME_MARK, staging(FRAME_HEADER_BYTES), undefined)
  }

  /** Bytes in the segment. */
  get bytes(): number {
    return FRAME_HEADER_BYTES + this.#bodyBytes
  }

  /** Position just past the last batch. */
  get end(): number {
    return this.position + this.payloadBytes
  }

  /** Adds another small batch; false, and nothing happened, where it does not fit. */
  add(payload: Uint8Array): boolean {
    const { length } = payload
    const at = FRAME_HEADER_BYTES + this.#bodyBytes
    if (this.#kind !== FRAME_BATCHES || length > COPIED_BYTES_MAX) return false
    if (at + varintLength(length) + length > STAGING_BYTES) return false
    const { bytes } = this.#staging
    const start = writeVarint(bytes, at, length)
    bytes.set(payload, start)
    this.#bodyBytes = start + length - FRAME_HEADER_BYTES
    this.payloadBytes += length
    return true
  }

  /** The promise that the frame is synced, made when the first batch asks for it. */
  wantSynced(): Promise<void> {
    this.synced ??= new Deferred()
    return this.synced.promise
  }

  /** What to write: views, valid until the frame is recycled. */
  encode(hash: Hash, identity: number, syncedUpTo: number): readonly Uint8Array[] {
    const { bytes, view } = this.#staging
    const payload = this.#payload
    const check =
      payload === undefined
        ? bodyCheck(hash, bytes, FRAME_HEADER_BYTES, this.bytes, identity, this.position)
        : bodyCheck(hash, payload, 0, payload.length, identity, this.position)
    const header = {
      kind: this.#kind,
      bodyBytes: this.#bodyBytes,
      payloadBytes: this.payloadBytes,
      bodyCheck: check,
      position: this.position,
      syncedUpTo,
    }
    writeFrameHeader(bytes, view, header, identity)
    return payload === undefined ? [bytes.subarray(0, this.bytes)] : [bytes, payload]
  }

  /** Gives the buffer back: it has been written, or never will be. */
  recycle(pool: StagingPool): void {
    pool.give(this.#staging)
  }

  reject(reason: unknown): void {
    this.written.reject(reason)
    this.synced?.reject(reason)
  }
}

function staging(length: number): Staging {
  const bytes = new Uint8Array(length)
  return { bytes, view: new DataView(bytes.buffer) }
}
