/** Writers that remember what was acknowledged, and look for it afterwards. */

import { MapClient } from 'varve/cluster'
import type { MapStore, ShardMap } from 'varve/cluster'
import { isCode } from 'varve/kernel'
import type { Clock, Hash, Random } from 'varve/kernel'
import { RpcClient, dialSocket } from 'varve/rpc'
import { remoteGet, remotePut } from './kv-service.ts'

const WRITERS = 16
// A host that has died is not waited for: the map will say who has its shards.
const CALL_MS = 300

export interface LoadParts {
  readonly store: MapStore
  readonly clock: Clock
  readonly random: Random
  readonly hash: Hash
}

export class Load {
  readonly #parts: LoadParts
  readonly #map: MapClient
  readonly #hosts = new Map<string, RpcClient>()
  /** Value of each key that was acknowledged. */
  readonly #acknowledged = new Map<string, string>()
  /** When the last write to each shard was acknowledged. */
  readonly #lastMs = new Map<string, number>()
  /** The longest time without one. */
  readonly gapMs = new Map<string, number>()
  readonly #end = new AbortController()
  #writing: Promise<unknown> = Promise.resolve()

  constructor(parts: LoadParts) {
    this.#parts = parts
    const { store, clock } = parts
    const hasMoved = (error: unknown): boolean =>
      isCode(error, 'FENCED', 'SUPERSEDED', 'CLOSED', 'IO_FAILED', 'OUTCOME_UNKNOWN', 'POISONED', 'BUSY')
    this.#map = new MapClient({ store, clock, hasMoved, settings: { pauseMsMax: 20 } })
  }

  get acknowledged(): number {
    return this.#acknowledged.size
  }

  start(): void {
    this.#writing = Promise.all(Array.from({ length: WRITERS }, (_, index) => this.#write(index)))
  }

  async stop(): Promise<void> {
    this.#end.abort()
    await this.#writing
  }

  /** How many of the keys that were acknowledged have another value, or none. */
  async countLost(): Promise<number> {
    let lost = 0
    const entries = [...this.#acknowledged]
    for (let start = 0; start < entries.length; start += 64) {
      const found = await Promise.all(entries.slice(start, start + 64).map(([key]) => this.#get(key)))
      found.forEach((value, index) => (lost += value === entries[start + index]?.[1] ? 0 : 1))
    }
    return lost
  }

  async map(): Promise<ShardMap> {
    return this.#map.refresh()
  }

  async close(): Promise<void> {
    for (const client of this.#hosts.values()) await client.close()
  }

  async #write(writer: number): Promise<void> {
    const padding = 'x'.repeat(80)
    for (let count = 0; !this.#end.signal.aborted; count++) {
      const [key, value] = [`${writer}-${count}`, `${count}${padding}`]
      // Twice the same is harmless, which matters where an answer was lost.
      await this.#map.run(Buffer.from(key), async ({ shard, owner }) => {
        await remotePut(this.#host(owner), shard, Buffer.from(key), Buffer.from(value))
        this.#served(shard)
      })
      this.#acknowledged.set(key, value)
    }
  }

  #served(shard: string): void {
    const now = this.#parts.clock.monotonic()
    const before = this.#lastMs.get(shard) ?? now
    this.#lastMs.set(shard, now)
    this.gapMs.set(shard, Math.max(this.gapMs.get(shard) ?? 0, now - before))
  }

  async #get(key: string): Promise<string | undefined> {
    const found = await this.#map.run(Buffer.from(key), ({ shard, owner }) =>
      remoteGet(this.#host(owner), shard, Buffer.from(key)),
    )
    return found === undefined ? undefined : Buffer.from(found).toString()
  }

  #host(address: string): RpcClient {
    const { clock, random, hash } = this.#parts
    const there = this.#hosts.get(address)
    if (there !== undefined) return there
    const client = new RpcClient({ dial: dialSocket(address), clock, random, hash, settings: { callMs: CALL_MS } })
    this.#hosts.set(address, client)
    return client
  }
}
