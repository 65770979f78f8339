/**
 * A wire over a message port, to another thread of this process.
 *
 *      bytes (Uint8Array)  ──►        what was sent
 *      count (number)      ◄──        how much of it has been heard
 *      null                ──►        the end
 *
 * Ports buffer without bound and do not say how much; so the other end says what it has heard.
 */

import type { MessagePort } from 'node:worker_threads'
import { concatBytes } from '../kernel/bytes.ts'
import type { Wire, WireReceiver } from './rpc.ts'

/** One end of a message port. */
export class PortWire implements Wire {
  readonly peer: string
  readonly safety = 'local'
  readonly certified: readonly string[] = []
  readonly #port: MessagePort
  #receiver: WireReceiver | undefined
  #bufferedBytes = 0
  #paused = false
  readonly #held: Uint8Array[] = []
  #ended = false

  /** @param port this wire's own from now on */
  constructor(port: MessagePort, peer: string) {
    this.#port = port
    this.peer = peer
  }

  listen(receiver: WireReceiver): void {
    this.#receiver = receiver
    this.#port.on('message', (message: unknown) => this.#receive(message))
    this.#port.on('close', () => this.#finish('the other end has gone'))
    this.#port.on('messageerror', () => this.#finish('a message could not be read'))
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#ended) return
    const bytes = concatBytes(parts)
    this.#bufferedBytes += bytes.length
    this.#port.postMessage(bytes, [bytes.buffer as ArrayBuffer])
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    while (!this.#paused && !this.#ended) {
      const bytes = this.#held.shift()
      if (bytes === undefined) return
      this.#hear(bytes)
    }
  }

  end(): void {
    if (!this.#ended) this.#port.postMessage(null)
    this.#finish('ended here')
  }

  destroy(): void {
    this.end()
  }

  #receive(message: unknown): void {
    if (this.#ended) return
    if (message === null) {
      this.#finish('the other end has gone')
    } else if (typeof message === 'number') {
      this.#bufferedBytes -= message
      this.#receiver?.drained()
    } else if (!(message instanceof Uint8Array)) {
      this.#finish('the other end sent what are no bytes')
    } else if (this.#paused) {
      this.#held.push(message)
    } else {
      this.#hear(message)
    }
  }

  #hear(bytes: Uint8Array): void {
    this.#port.postMessage(bytes.length)
    this.#receiver?.received(bytes)
  }

  #finish(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#held.length = 0
    this.#port.close()
    this.#receiver?.ended(reason)
  }
}
