/** SlateDB 0.12 over files of this machine. */

import { pathToFileURL } from 'node:url'
import type { Peer, ScanRequest, Store, StoreOptions, Value, Visit } from './peer.ts'

const PACKAGE = '@slatedb/uniffi'
/** It has no settings of its own for a memory budget of blocks in this binding. */
const NOT_DURABLE = Object.freeze({ await_durable: false })
const DURABLE = Object.freeze({ await_durable: true })

interface SlateBatch {
  put(key: Uint8Array, value: Uint8Array): void
}

interface SlateIterator {
  next(): Promise<{ readonly key: Uint8Array; readonly value: Uint8Array } | undefined>
  dispose(): void
}

interface SlateDatabase {
  put_with_options(key: Uint8Array, value: Uint8Array, put: object, write: object): Promise<unknown>
  write_with_options(batch: SlateBatch, write: object): Promise<unknown>
  get(key: Uint8Array): Promise<Value>
  scan_with_options(range: object, options: object): Promise<SlateIterator>
  flush(): Promise<void>
  shutdown(): Promise<void>
  dispose(): void
}

interface SlateModule {
  readonly ObjectStore: { resolve(url: string): object }
  readonly DbBuilder: new (
    path: string,
    store: object,
  ) => { with_settings(settings: object): void; build(): Promise<SlateDatabase> }
  readonly Settings: { default(): SlateSettings; from_json_string(json: string): SlateSettings }
  readonly WriteBatch: new () => SlateBatch
  readonly Ttl: { Default(): object }
  readonly IterationOrder: { readonly Ascending: unknown; readonly Descending: unknown }
  readonly DurabilityLevel: { readonly Memory: unknown }
}

interface SlateSettings {
  to_json_string(): string
}

function settings({ synced }: StoreOptions): Readonly<Record<string, unknown>> {
  // By default a put that waits for durability waits for the next flush, a tenth of a second.
  return { compression_codec: 'Lz4', ...(synced ? { flush_interval: '1ms' } : {}) }
}

export const slatedb: Peer = {
  name: 'slatedb',
  supports: Object.freeze({ written: false, synced: true, getSync: false, getMany: false, deleteRange: false }),
  persists: true,
  settings: (options) => ({
    ...settings(options),
    note: 'local files; a put that is not synced is only in memory, which is less than written',
  }),
  open: async (directory, options) => {
    const module = (await import(PACKAGE)) as SlateModule
    const builder = new module.DbBuilder('data', module.ObjectStore.resolve(pathToFileURL(directory).href))
    const defaults = JSON.parse(module.Settings.default().to_json_string()) as object
    builder.with_settings(module.Settings.from_json_string(JSON.stringify({ ...defaults, ...settings(options) })))
    return new SlateStore(module, await builder.build())
  },
}

class SlateStore implements Store {
  readonly #module: SlateModule
  readonly #db: SlateDatabase
  readonly #putOptions: object

  constructor(module: SlateModule, db: SlateDatabase) {
    this.#module = module
    this.#db = db
    this.#putOptions = { ttl: module.Ttl.Default() }
  }

  put(key: Uint8Array, value: Uint8Array): Promise<unknown> {
    return this.#db.put_with_options(key, value, this.#putOptions, NOT_DURABLE)
  }

  putSynced(key: Uint8Array, value: Uint8Array): Promise<unknown> {
    return this.#db.put_with_options(key, value, this.#putOptions, DURABLE)
  }

  batch(keys: readonly Uint8Array[], values: readonly Uint8Array[], start: number, limit: number): Promise<unknown> {
    const batch = new this.#module.WriteBatch()
    for (let at = start; at < limit; at++) batch.put(keys[at] as Uint8Array, values[at] as Uint8Array)
    return this.#db.write_with_options(batch, NOT_DURABLE)
  }

  get(key: Uint8Array): Promise<Value> {
    return this.#db.get(key)
  }

  getSync(): Value {
    throw new TypeError('there is no getSync')
  }

  getMany(): readonly Value[] {
    throw new TypeError('there is no getMany')
  }

  async scan({ from, reverse, limit }: ScanRequest, visit: Visit): Promise<void> {
    const { IterationOrder, DurabilityLevel } = this.#module
    const bound = reverse ? { start: undefined, end: from } : { start: from, end: undefined }
    const iterator = await this.#db.scan_with_options(
      { ...bound, start_inclusive: true, end_inclusive: true },
      {
        durability_filter: DurabilityLevel.Memory,
        dirty: false,
        read_ahead_bytes: 1024 * 1024,
        cache_blocks: true,
        max_fetch_tasks: 4,
        order: reverse ? IterationOrder.Descending : IterationOrder.Ascending,
      },
    )
    try {
      for (let left = limit; left > 0; left--) {
        const entry = await iterator.next()
        if (entry === undefined) return
        visit(entry.key, entry.value)
      }
    } finally {
      iterator.dispose()
    }
  }

  deleteRange(): unknown {
    throw new TypeError('there is no deleteRange')
  }

  compact(): Promise<void> {
    return this.#db.flush()
  }

  async close(): Promise<void> {
    await this.#db.shutdown()
    this.#db.dispose()
  }
}
