/** A wire over a socket of Node: Unix, TCP or TLS. */

import type { Socket } from 'node:net'
import type { Wire, WireReceiver, WireSafety } from './rpc.ts'

/** What a certificate of the peer says. */
export interface Certified {
  readonly names: readonly string[]
  /** When it ends, in milliseconds since 1970. */
  readonly untilMs: number | undefined
  /** Why it is not verified: then the rest is empty. */
  readonly distrust?: string
}

const NOBODY: Certified = { names: [], untilMs: undefined }

export class SocketWire implements Wire {
  readonly peer: string
  readonly safety: WireSafety
  readonly certified: readonly string[]
  readonly certifiedUntilMs: number | undefined
  readonly distrust: string | undefined
  readonly #socket: Socket
  #receiver: WireReceiver | undefined
  #ended = false

  /** @param socket connected; this wire's own from now on */
  constructor(socket: Socket, peer: string, safety: WireSafety, certified: Certified = NOBODY) {
    this.#socket = socket
    this.peer = peer
    this.safety = safety
    this.certified = certified.names
    this.certifiedUntilMs = certified.untilMs
    this.distrust = certified.distrust
    // Frames leave in one piece as they are: waiting for more would only delay them.
    socket.setNoDelay(true)
    // One that fails before anybody listens.
    socket.on('error', () => undefined)
  }

  listen(receiver: WireReceiver): void {
    this.#receiver = receiver
    let reason = 'the other end has gone'
    this.#socket
      .on('data', ({ buffer, byteOffset, length }: Buffer) =>
        // Not as a Buffer, whose `slice` is no copy.
        receiver.received(new Uint8Array(buffer, byteOffset, length)),
      )
      .on('drain', () => receiver.drained())
      .on('error', (error) => (reason = error.message))
      .on('close', () => this.#finish(reason))
    if (this.#socket.destroyed) this.#finish(reason)
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#ended) return
    const [first] = parts
    if (parts.length === 1 && first !== undefined) {
      this.#write(first)
      return
    }
    this.#socket.cork()
    for (const part of parts) this.#write(part)
    this.#socket.uncork()
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    // What the other end may still be sending is not read any more, and must not keep the socket.
    this.#socket.resume()
    this.#socket.end(() => this.#socket.destroy())
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #write(bytes: Uint8Array): void {
    // Below Node's own mark it says nothing of having drained, and `bufferedBytes` is asked for all the same.
    this.#socket.write(bytes, () => {
      if (!this.#ended && this.#socket.writableLength === 0) this.#receiver?.drained()
    })
  }

  #finish(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#receiver?.ended(reason)
  }
}
