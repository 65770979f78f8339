/**
 * Frames out of bytes that arrive in any pieces.
 *
 * Memory is taken for bytes that have arrived, never for a length that somebody declared. What belongs to a frame within
 * one piece is a view of it.
 */

import type { Hash } from '../kernel/hash.ts'
import { FRAME_HEADER_BYTES, decodeHeader, frameSeed, payloadCheckOf } from './frame.ts'
import type { Direction, Frame, FrameHeader } from './frame.ts'

export interface FrameLimits {
  /** Of one frame's payload. */
  readonly frameBytesMax: number
  /** Of everything that arrives while these limits hold. */
  readonly totalBytesMax: number
}

export class FrameReader {
  readonly #direction: Direction
  readonly #hash: Hash
  readonly #deliver: (frame: Frame) => void
  readonly #parts: Uint8Array[] = []
  /** Bytes of the first part that have been taken. */
  #taken = 0
  #availableBytes = 0
  #totalBytes = 0
  #sequence = 0
  #header: FrameHeader | undefined
  limits: FrameLimits

  /** @param deliver may change `limits`, and ends the reading by `stop` */
  constructor(direction: Direction, hash: Hash, limits: FrameLimits, deliver: (frame: Frame) => void) {
    this.#direction = direction
    this.#hash = hash
    this.limits = limits
    this.#deliver = deliver
  }

  #stopped = false

  /** Delivers nothing more, and keeps nothing of what still arrives. */
  stop(): void {
    this.#stopped = true
    this.#parts.length = 0
    this.#availableBytes = 0
  }

  /** Bytes that are kept for frames that are not complete. */
  get heldBytes(): number {
    return this.#availableBytes
  }

  /**
   * Delivers every frame that `bytes` complete.
   *
   * @returns why there can be no further frame; undefined: go on
   */
  push(bytes: Uint8Array): string | undefined {
    if (bytes.length === 0 || this.#stopped) return undefined
    this.#parts.push(bytes)
    this.#availableBytes += bytes.length
    this.#totalBytes += bytes.length
    while (!this.#stopped) {
      // Anew each time: a frame that was delivered may have raised them.
      const { frameBytesMax, totalBytesMax } = this.limits
      if (this.#totalBytes > totalBytesMax) return `more than ${totalBytesMax} bytes before authentication`
      const seed = frameSeed(this.#direction, this.#sequence)
      if (this.#header === undefined) {
        if (this.#availableBytes < FRAME_HEADER_BYTES) break
        const header = decodeHeader(this.#take(FRAME_HEADER_BYTES), seed)
        if (header === undefined) return 'a frame header does not verify'
        const length = header.controlBytes + header.bodyBytes
        if (length > frameBytesMax) return `a frame of ${length} bytes, at most ${frameBytesMax} are taken`
        this.#header = header
      }
      const { controlBytes, bodyBytes, payloadCheck, kind, call, more } = this.#header
      if (this.#availableBytes < controlBytes + bodyBytes) break
      const payload = this.#take(controlBytes + bodyBytes)
      const control = payload.subarray(0, controlBytes)
      const body = payload.subarray(controlBytes)
      if (payloadCheckOf(control, body, seed, this.#hash) !== payloadCheck) return 'a frame payload does not verify'
      this.#header = undefined
      this.#sequence = (this.#sequence + 1) >>> 0
      this.#deliver({ kind, call, more, control, body })
    }
    return undefined
  }

  /** Exactly `count` bytes, which are there: a view where they are in one piece. */
  #take(count: number): Uint8Array {
    this.#availableBytes -= count
    const first = this.#parts[0]
    if (first !== undefined && first.length - this.#taken >= count) {
      const bytes = first.subarray(this.#taken, this.#taken + count)
      this.#taken += count
      this.#dropTaken()
      return bytes
    }
    const bytes = new Uint8Array(count)
    for (let filled = 0; filled < count;) {
      const part = this.#parts[0] as Uint8Array
      const piece = part.subarray(this.#taken, this.#taken + count - filled)
      bytes.set(piece, filled)
      filled += piece.length
      this.#taken += piece.length
      this.#dropTaken()
    }
    return bytes
  }

  #dropTaken(): void {
    const first = this.#parts[0]
    if (first === undefined || this.#taken < first.length) return
    this.#parts.shift()
    this.#taken = 0
  }
}
