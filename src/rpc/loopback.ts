/** Two ends of a connection in one process: what one sends, the other hears in a later microtask. */

import { concatBytes } from '../kernel/bytes.ts'
import type { Dial, Wire, WireReceiver } from './rpc.ts'

class LoopbackWire implements Wire {
  readonly peer: string
  readonly safety = 'local'
  readonly certified: readonly string[] = []
  #other: LoopbackWire | undefined
  #receiver: WireReceiver | undefined
  /** Sent by the other end and not heard yet. */
  readonly #arriving: Uint8Array[] = []
  #arrivingBytes = 0
  #scheduled = false
  #paused = false
  /** The other end says nothing more after what is arriving. */
  #lastHeard = false
  #ended = false

  constructor(peer: string) {
    this.peer = peer
  }

  join(other: LoopbackWire): void {
    this.#other = other
  }

  listen(receiver: WireReceiver): void {
    this.#receiver = receiver
    this.#schedule()
  }

  send(parts: readonly Uint8Array[]): void {
    if (!this.#ended) this.#other?.arrive(parts)
  }

  get bufferedBytes(): number {
    return this.#other?.waitingBytes ?? 0
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  end(): void {
    this.#other?.hearNoMore()
    this.#finish('ended here')
  }

  destroy(): void {
    this.#other?.hearNoMore()
    this.#finish('destroyed here')
  }

  /** What this end has not heard of what it was sent. */
  get waitingBytes(): number {
    return this.#arrivingBytes
  }

  arrive(parts: readonly Uint8Array[]): void {
    const bytes = concatBytes(parts)
    this.#arriving.push(bytes)
    this.#arrivingBytes += bytes.length
    this.#schedule()
  }

  hearNoMore(): void {
    this.#lastHeard = true
    this.#schedule()
  }

  drained(): void {
    if (!this.#ended) this.#receiver?.drained()
  }

  #schedule(): void {
    if (this.#scheduled || this.#receiver === undefined) return
    this.#scheduled = true
    queueMicrotask(() => this.#hear())
  }

  #hear(): void {
    this.#scheduled = false
    while (!this.#ended && !this.#paused) {
      const bytes = this.#arriving.shift()
      if (bytes === undefined) break
      this.#arrivingBytes -= bytes.length
      this.#receiver?.received(bytes)
    }
    if (this.#arriving.length > 0) return
    this.#other?.drained()
    if (this.#lastHeard) this.#finish('the other end has gone')
  }

  #finish(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#arriving.length = 0
    this.#arrivingBytes = 0
    this.#receiver?.ended(reason)
  }
}

/** Both ends of a new connection: the first is the client's. */
export function loopbackPair(): [Wire, Wire] {
  const client = new LoopbackWire('the server in this process')
  const server = new LoopbackWire('a client in this process')
  client.join(server)
  server.join(client)
  return [client, server]
}

/** Dials a server in this process. */
export function dialLoopback(server: { accept(wire: Wire): void }): Dial {
  return () => {
    const [client, accepted] = loopbackPair()
    server.accept(accepted)
    return Promise.resolve(client)
  }
}
