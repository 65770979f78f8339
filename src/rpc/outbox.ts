/**
 * Messages on their way into a channel: whole, one after the other, no faster than the wire takes them.
 *
 * A message larger than a frame takes several, and none comes in between but cancellations and heartbeats. So calls
 * arrive in the order in which they were made.
 */

import type { FrameChannel } from './frame-channel.ts'
import type { FrameKind } from './frame.ts'

export interface OutgoingMessage {
  readonly kind: FrameKind
  readonly call: number
  readonly control: Uint8Array
  readonly body: Uint8Array
}

const NOTHING = new Uint8Array(0)

export class Outbox {
  readonly #channel: FrameChannel
  readonly #frameBodyBytes: number
  readonly #bufferedBytesMax: number
  readonly #waiting: OutgoingMessage[] = []
  #waitingBytes = 0
  /** Bytes of the first message's body that have been sent. */
  #sentBytes = 0

  constructor(channel: FrameChannel, frameBodyBytes: number, bufferedBytesMax: number) {
    this.#channel = channel
    this.#frameBodyBytes = frameBodyBytes
    this.#bufferedBytesMax = bufferedBytesMax
  }

  /** Of messages not wholly handed to the channel. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  push(message: OutgoingMessage): void {
    this.#waiting.push(message)
    this.#waitingBytes += sizeOf(message)
    this.pump()
  }

  /**
   * Takes a message back, so that it never arrives as a whole. `begun`: some of it may arrive, which a cancellation makes
   * the other end forget; undefined: that is too late.
   */
  take(call: number): 'begun' | 'unbegun' | undefined {
    const at = this.#waiting.findIndex((message) => message.call === call)
    if (at < 0) return undefined
    const isBegun = at === 0 && this.#sentBytes > 0
    if (isBegun) this.#sentBytes = 0
    for (const message of this.#waiting.splice(at, 1)) this.#waitingBytes -= sizeOf(message)
    return isBegun ? 'begun' : 'unbegun'
  }

  /** Sends while the wire has room. Call it again when the wire has drained. */
  pump(): void {
    for (;;) {
      const message = this.#waiting[0]
      if (message === undefined || this.#channel.bufferedBytes > this.#bufferedBytesMax) return
      const { kind, call, body } = message
      const start = this.#sentBytes
      const limit = Math.min(body.length, start + this.#frameBodyBytes)
      const more = limit < body.length
      const piece = start === 0 && !more ? body : body.subarray(start, limit)
      if (more) {
        this.#sentBytes = limit
      } else {
        this.#waiting.shift()
        this.#waitingBytes -= sizeOf(message)
        this.#sentBytes = 0
      }
      this.#channel.send(kind, call, start === 0 ? message.control : NOTHING, piece, more)
    }
  }
}

function sizeOf({ control, body }: OutgoingMessage): number {
  return control.length + body.length
}
