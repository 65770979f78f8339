/**
 * A server: services, and connections to them over any number of listeners.
 *
 * Strangers are bounded in number as in bytes and time. Where there are too many, the one that has been one for longest
 * goes: an honest client is a stranger for a round trip.
 */

import type { Clock } from '../kernel/clock.ts'
import type { Hash } from '../kernel/hash.ts'
import { Access } from './access.ts'
import { ServerConnection } from './server-connection.ts'
import type { ServerConnectionHost } from './server-connection.ts'
import type { RpcService, Wire } from './rpc.ts'
import { resolveRpcSettings } from './settings.ts'
import type { RpcSettings } from './settings.ts'

// 2048 of 64 KiB are 128 MiB at the very most, and mostly nothing.
const STRANGERS_MAX = 2048

/** What is offered, to whom, and how patiently. */
export interface RpcServerOptions {
  /** By their names, which differ. */
  readonly services: readonly RpcService[]
  /** Measures silence, and tells when tokens end. */
  readonly clock: Clock
  /** Checksums of frames. */
  readonly hash: Hash
  /** Default: nobody has to show anything, and only connections on this machine are served. */
  readonly access?: Access
  /** Default, each: that of `RPC_DEFAULTS`. */
  readonly settings?: Partial<RpcSettings>
}

/** Services and the connections to them. Listeners are the caller's: they are closed before it, services after it. */
export class RpcServer {
  readonly #host: ServerConnectionHost
  #access: Access
  /** In order of arrival. */
  readonly #strangers = new Set<ServerConnection>()
  readonly #peers = new Set<ServerConnection>()
  readonly #ending = new Set<Promise<void>>()
  #closed = false

  constructor({ services, clock, hash, access = new Access(), settings }: RpcServerOptions) {
    this.#access = access
    const current = (): Access => this.#access
    this.#host = {
      services: new Map(services.map((service) => [service.name, service])),
      get access() {
        return current()
      },
      clock,
      hash,
      settings: resolveRpcSettings(settings),
      authenticated: (connection) => {
        this.#strangers.delete(connection)
        this.#peers.add(connection)
      },
      ended: (connection) => {
        this.#strangers.delete(connection)
        this.#peers.delete(connection)
        const ending = connection.closed.finally(() => this.#ending.delete(ending))
        this.#ending.add(ending)
      },
    }
  }

  /** Whoever connects, on whatever listener, can do anything. Then only wires on this machine are served. */
  get open(): boolean {
    return this.#access.open
  }

  /**
   * From now on these rules count, also for connections there are. One that they give the same roles and shards stays, and
   * ends when they say. Any other ends at once, and what it waits for with it: its client dials again, and is let in with what
   * it may do now, or told why not.
   *
   * @returns how many connections have ended
   */
  replaceAccess(access: Access): number {
    this.#access = access
    return [...this.#peers].filter((peer) => !peer.review()).length
  }

  /** Serves whoever is at the other end. */
  accept(wire: Wire): void {
    if (this.#closed) {
      wire.destroy()
      return
    }
    const connection = new ServerConnection(wire, this.#host)
    this.#strangers.add(connection)
    if (this.#strangers.size <= STRANGERS_MAX) return
    for (const oldest of this.#strangers) {
      oldest.cut('too many connections have not authenticated')
      return
    }
  }

  /** Peers that have authenticated. */
  get peerCount(): number {
    return this.#peers.size
  }

  /** Cuts off strangers, answers the calls of peers that are being worked on, closes every session. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    for (const stranger of this.#strangers) stranger.cut('the server is closing')
    await Promise.all(Array.from(this.#peers, (peer) => peer.close()))
    await Promise.all(this.#ending)
  }
}
