/**
 * A client that follows the map: it sends what is asked of a key to who has the key's shard, and looks again where they
 * have not.
 *
 *      route ──► operation ──► FENCED, SUPERSEDED, nobody there ──► read the map ──► changed: again, at once
 *        ▲                                                              └─ as it was: again, after a pause
 *        └─────────────────────────────────────────────────────────────────────────────────┘
 */

import { abortable } from '../kernel/abortable.ts'
import type { Clock } from '../kernel/clock.ts'
import { VarveError, isCode, throwIfAborted } from '../kernel/errors.ts'
import { checkNumber, overDefaults } from '../kernel/setting-check.ts'
import type { AbortOptions } from '../fs/fs.ts'
import type { MapStore } from './map-store.ts'
import { entryFor } from './shard-map.ts'
import type { MapEntry, ShardMap } from './shard-map.ts'

/** How long a client tries. Defaults and their reasons: `MAP_CLIENT_DEFAULTS`. */
export interface MapClientSettings {
  /**
   * The first pause before an operation is tried again with a map that has not changed, in milliseconds; doubles each
   * time. Range: 0 or more.
   */
  readonly pauseMs: number
  /** The longest such pause, in milliseconds. Range: 0 or more. */
  readonly pauseMsMax: number
  /** How long an operation is tried again, from its first failure on, in milliseconds. Range: 0 or more. */
  readonly patienceMs: number
}

/** What is not said. */
export const MAP_CLIENT_DEFAULTS: MapClientSettings = Object.freeze({
  // A takeover of an idle shard takes tens of milliseconds.
  pauseMs: 10,
  // What a thousand waiting clients read of the map is a thousand small reads a second.
  pauseMsMax: 1000,
  // Longer than a takeover with a full journal to replay.
  patienceMs: 30_000,
})

/** @throws {TypeError | RangeError} naming the setting */
export function resolveMapClientSettings(input: Partial<MapClientSettings> = {}): MapClientSettings {
  const settings = overDefaults(MAP_CLIENT_DEFAULTS, input)
  for (const name of ['pauseMs', 'pauseMsMax', 'patienceMs'] as const) checkNumber(name, settings[name], [0, Infinity])
  return Object.freeze(settings)
}

/** What a client is made of. */
export interface MapClientParts {
  /** Where the map is. Stays the caller's. */
  readonly store: Pick<MapStore, 'read'>
  /** Measures patience and pauses. */
  readonly clock: Clock
  /** Default, each: that of `MAP_CLIENT_DEFAULTS`. */
  readonly settings?: Partial<MapClientSettings>
  /**
   * Whether `error` says that the shard is elsewhere now, or may soon be. Default: FENCED, SUPERSEDED, CLOSED. A client
   * that talks to nodes adds what it hears of one that has died.
   */
  readonly hasMoved?: (error: unknown) => boolean
}

/** An entry that has an owner. */
export type OwnedEntry = MapEntry & { readonly owner: string }

/** The map as somebody has seen it last, and the retries that a stale one takes. Operations may overlap. */
export class MapClient {
  readonly #store: Pick<MapStore, 'read'>
  readonly #clock: Clock
  readonly #settings: MapClientSettings
  readonly #hasMoved: (error: unknown) => boolean
  #map: ShardMap | undefined
  #reading: Promise<ShardMap> | undefined

  constructor({ store, clock, settings, hasMoved }: MapClientParts) {
    this.#store = store
    this.#clock = clock
    this.#settings = resolveMapClientSettings(settings)
    this.#hasMoved = hasMoved ?? ((error) => isCode(error, 'FENCED', 'SUPERSEDED', 'CLOSED'))
  }

  /** The map as it was read last; reads it where it never was. */
  async map(options: AbortOptions = {}): Promise<ShardMap> {
    return this.#map ?? this.refresh(options)
  }

  /** Reads the map. Those who ask while it is being read get the same answer. Never goes back to an older one. */
  async refresh({ signal }: AbortOptions = {}): Promise<ShardMap> {
    throwIfAborted(signal)
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined))
    // The others go on waiting.
    return abortable(this.#reading, signal)
  }

  /**
   * Runs `operation` with the entry that `key` belongs to, again and elsewhere where the shard has moved.
   *
   * An operation that failed may have taken effect: what is not harmless twice must look before it acts.
   *
   * @param options the signal ends pauses and readings of the map; `operation` is not told of it
   * @throws {VarveError} BUSY — for `patienceMs` nobody had the shard; ABORTED; what reading the map throws; and the last error of
   *   `operation`
   */
  async run<T>(
    key: Uint8Array,
    operation: (entry: OwnedEntry) => Promise<T>,
    { signal }: AbortOptions = {},
  ): Promise<T> {
    const { patienceMs, pauseMsMax } = this.#settings
    let { pauseMs } = this.#settings
    let failedAt: number | undefined
    for (let map = await this.map({ ...(signal && { signal }) }); ;) {
      throwIfAborted(signal)
      const entry = entryFor(map, key)
      let failure: unknown
      try {
        if (entry.owner !== undefined) return await operation(entry as OwnedEntry)
        failure = nobody(entry)
      } catch (error) {
        if (!this.#hasMoved(error)) throw error
        failure = error
      }
      const now = this.#clock.monotonic()
      failedAt ??= now
      if (now - failedAt >= patienceMs) throw failure
      const before = map
      map = await this.refresh({ ...(signal && { signal }) })
      if (map.revision !== before.revision) continue
      await abortable(this.#pause(pauseMs), signal)
      pauseMs = Math.min(pauseMsMax, pauseMs * 2)
      map = await this.refresh({ ...(signal && { signal }) })
    }
  }

  async #read(): Promise<ShardMap> {
    const map = await this.#store.read()
    if (this.#map === undefined || map.revision > this.#map.revision) this.#map = map
    return this.#map
  }

  #pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => void this.#clock.after(pauseMs, resolve, { keepAlive: true }))
  }
}

function nobody({ shard }: MapEntry): VarveError {
  return new VarveError('BUSY', `nobody has shard ${shard} at the moment`, { details: { shard } })
}
