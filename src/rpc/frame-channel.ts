/**
 * Frames both ways over one wire, with heartbeats: the part that client and server share.
 *
 * Frames sent in one turn leave together. A peer that has been silent for a while is asked whether it lives, and given up
 * when it does not say so: what the system calls open may lead nowhere. A pause of our own is not taken for the peer's.
 */

import type { Clock, Timer } from '../kernel/clock.ts'
import { concatBytes } from '../kernel/bytes.ts'
import type { Hash } from '../kernel/hash.ts'
import { KIB } from '../kernel/limits.ts'
import { encodeHeader, frameSeed } from './frame.ts'
import type { Direction, Frame, FrameKind } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import type { Wire } from './rpc.ts'
import { FRAME_BYTES_MAX, STRANGER_FRAME_BYTES_MAX, STRANGER_TOTAL_BYTES_MAX } from './settings.ts'
import type { RpcSettings } from './settings.ts'

/** What every part of a connection is made with. */
export interface RpcBasis {
  /** Measures silence. */
  readonly clock: Clock
  /** Checksums of frames. */
  readonly hash: Hash
  /** Complete: `resolveRpcSettings` makes them. */
  readonly settings: RpcSettings
}

export interface ChannelReceiver {
  frame(frame: Frame): void
  drained(): void
  /** Called once; nothing comes after it. */
  ended(reason: string): void
}

const NOTHING = new Uint8Array(0)
// Copying so much costs less than a further part of a system call.
const JOINED_BYTES_MAX = 16 * KIB

export class FrameChannel {
  readonly #wire: Wire
  readonly #basis: RpcBasis
  readonly #receiver: ChannelReceiver
  readonly #direction: Direction
  readonly #reader: FrameReader
  #sequence = 0
  #parts: Uint8Array[] = []
  #partBytes = 0
  #heardMs: number
  #heartbeat: Timer | undefined
  #trusted = false
  #ended = false

  constructor(wire: Wire, side: 'client' | 'server', basis: RpcBasis, receiver: ChannelReceiver) {
    this.#wire = wire
    this.#basis = basis
    this.#receiver = receiver
    this.#direction = side === 'client' ? 'toServer' : 'toClient'
    this.#heardMs = basis.clock.monotonic()
    const limits = { frameBytesMax: STRANGER_FRAME_BYTES_MAX, totalBytesMax: STRANGER_TOTAL_BYTES_MAX }
    this.#reader = new FrameReader(side === 'client' ? 'toClient' : 'toServer', basis.hash, limits, (frame) =>
      this.#receive(frame),
    )
    wire.listen({
      received: (bytes) => this.#received(bytes),
      drained: () => receiver.drained(),
      ended: (reason) => this.#end(reason),
    })
  }

  /** Handed over, and not taken by the system. */
  get bufferedBytes(): number {
    return this.#partBytes + this.#wire.bufferedBytes
  }

  /** The peer has authenticated: it may send what it likes, and is listened for. */
  trust(): void {
    this.#trusted = true
    this.#reader.limits = { frameBytesMax: FRAME_BYTES_MAX, totalBytesMax: Number.MAX_SAFE_INTEGER }
    this.#listenForLife()
  }

  send(kind: FrameKind, call: number, control: Uint8Array, body: Uint8Array = NOTHING, more = false): void {
    if (this.#ended) return
    const seed = frameSeed(this.#direction, this.#sequence)
    this.#sequence = (this.#sequence + 1) >>> 0
    const header = encodeHeader({ kind, call, more, control, body }, seed, this.#basis.hash)
    if (this.#parts.length === 0) queueMicrotask(() => this.#flush())
    for (const part of [header, control, body]) {
      if (part.length === 0) continue
      this.#parts.push(part)
      this.#partBytes += part.length
    }
  }

  pause(): void {
    if (!this.#ended) this.#wire.pause()
  }

  resume(): void {
    if (!this.#ended) this.#wire.resume()
  }

  /** Sends what is buffered, then ends. Nothing that has arrived is looked at any more. */
  end(): void {
    this.#reader.stop()
    this.#flush()
    this.#wire.end()
  }

  /** Ends at once: the peer has broken the protocol, or is not there. */
  fail(reason: string): void {
    this.#end(reason)
    this.#wire.destroy()
  }

  #flush(): void {
    const parts = this.#parts
    const bytes = this.#partBytes
    this.#parts = []
    this.#partBytes = 0
    if (this.#ended || bytes === 0) return
    this.#wire.send(bytes <= JOINED_BYTES_MAX && parts.length > 1 ? [concatBytes(parts)] : parts)
  }

  #received(bytes: Uint8Array): void {
    if (this.#ended) return
    this.#heardMs = this.#basis.clock.monotonic()
    const problem = this.#reader.push(bytes)
    if (problem !== undefined) this.fail(problem)
  }

  #receive(frame: Frame): void {
    // A stranger's are not answered: a few bytes of each would cost us more than them.
    if (frame.kind === 'ping' && this.#trusted) this.send('pong', 0, NOTHING)
    else if (frame.kind !== 'pong' || !this.#trusted) this.#receiver.frame(frame)
  }

  #listenForLife(): void {
    const { clock, settings } = this.#basis
    const due = clock.monotonic() + settings.heartbeatMs
    this.#heartbeat = clock.after(settings.heartbeatMs, () => {
      if (this.#ended) return
      const now = clock.monotonic()
      // This process stood still: what the peer has said meanwhile has not been read yet.
      if (now - due > settings.heartbeatMs) this.#heardMs = now
      const silentMs = now - this.#heardMs
      if (silentMs >= settings.silenceMsMax) {
        this.fail(`the peer has been silent for ${Math.round(silentMs)} ms`)
        return
      }
      if (silentMs >= settings.heartbeatMs) this.send('ping', 0, NOTHING)
      this.#listenForLife()
    })
  }

  #end(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#heartbeat?.cancel()
    this.#reader.stop()
    this.#parts = []
    this.#partBytes = 0
    this.#receiver.ended(reason)
  }
}
