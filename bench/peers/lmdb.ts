/** lmdb-js 3: a memory-mapped B+tree. `noSync` hands pages to the operating system, which is what `written` means. */

import type { Peer, ScanRequest, Store, StoreOptions, Value, Visit } from './peer.ts'

const PACKAGE = 'lmdb'
const GIB = 1024 * 1024 * 1024

interface LmdbDatabase {
  put(key: Uint8Array, value: Uint8Array): Promise<boolean>
  get(key: Uint8Array): Value
  getMany(keys: readonly Uint8Array[]): Promise<Value[]>
  getRange(options: object): Iterable<{ key: Uint8Array; value: Uint8Array }>
  getKeys(options: object): Iterable<Uint8Array>
  remove(key: Uint8Array): Promise<boolean>
  transaction<T>(action: () => T): Promise<T>
  close(): Promise<void>
}

interface LmdbModule {
  open(options: object): LmdbDatabase
}

function settings({ synced }: StoreOptions): Readonly<Record<string, unknown>> {
  return {
    encoding: 'binary',
    keyEncoding: 'binary',
    cache: false,
    noMemInit: true,
    mapSize: 64 * GIB,
    ...(synced ? { overlappingSync: false } : { noSync: true }),
  }
}

export const lmdb: Peer = {
  name: 'lmdb',
  supports: Object.freeze({ written: true, synced: true, getSync: true, getMany: true, deleteRange: true }),
  persists: true,
  settings,
  open: async (directory, options) => {
    const module = (await import(PACKAGE)) as LmdbModule
    return new LmdbStore(module.open({ path: directory, ...settings(options) }))
  },
}

class LmdbStore implements Store {
  readonly #db: LmdbDatabase

  constructor(db: LmdbDatabase) {
    this.#db = db
  }

  put(key: Uint8Array, value: Uint8Array): Promise<boolean> {
    return this.#db.put(key, value)
  }

  /** Opened without `noSync` and without overlapping syncs, a commit resolves when it is on the disk. */
  putSynced(key: Uint8Array, value: Uint8Array): Promise<boolean> {
    return this.#db.put(key, value)
  }

  /** Writes of one turn are one transaction (`eventTurnBatching`), so the last one's promise is everyone's. */
  batch(keys: readonly Uint8Array[], values: readonly Uint8Array[], start: number, limit: number): Promise<boolean> {
    for (let at = start; at < limit - 1; at++) void this.#db.put(keys[at] as Uint8Array, values[at] as Uint8Array)
    return this.#db.put(keys[limit - 1] as Uint8Array, values[limit - 1] as Uint8Array)
  }

  get(key: Uint8Array): Value {
    return this.#db.get(key)
  }

  getSync(key: Uint8Array): Value {
    return this.#db.get(key)
  }

  getMany(keys: readonly Uint8Array[]): Promise<Value[]> {
    return this.#db.getMany(keys)
  }

  scan({ from, reverse, limit }: ScanRequest, visit: Visit): void {
    const options = {
      ...(from === undefined ? {} : { start: from }),
      reverse,
      ...(limit === Infinity ? {} : { limit }),
    }
    for (const { key, value } of this.#db.getRange(options)) visit(key, value)
  }

  /** It has no call for a range: the keys are read and removed in one transaction. */
  deleteRange(start: Uint8Array, limit: Uint8Array): Promise<void> {
    return this.#db.transaction(() => {
      for (const key of this.#db.getKeys({ start, end: limit })) void this.#db.remove(key)
    })
  }

  compact(): void {
    // Pages are reused in place; there is nothing to call.
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}
