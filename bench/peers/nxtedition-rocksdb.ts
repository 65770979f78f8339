/** @nxtedition/rocksdb 12: RocksDB behind an older `abstract-level`. */

import { setTimeout as sleep } from 'node:timers/promises'
import { LevelStore } from './level-store.ts'
import type { LevelDatabase } from './level-store.ts'
import type { Peer, StoreOptions, Value } from './peer.ts'

const PACKAGE = '@nxtedition/rocksdb'
const BUFFERS = { keyEncoding: 'buffer', valueEncoding: 'buffer' }
const POLL_MS = 50
/** Compaction starts a moment after what caused it. */
const QUIET_POLLS = 4

interface RocksDatabase extends LevelDatabase {
  getProperty(name: string): string
}

interface RocksModule {
  readonly RocksLevel: new (directory: string, options: object) => RocksDatabase
}

function settings({ cacheBytes }: StoreOptions): Readonly<Record<string, unknown>> {
  return {
    cacheSize: cacheBytes,
    // Compressing the log costs more than writing it, on a local disk.
    walCompression: false,
  }
}

export const nxteditionRocksdb: Peer = {
  name: 'rocksdb',
  // Its synchronous reads are private, and it writes on the main thread, so that 100 puts in flight are 100 in a row.
  supports: Object.freeze({ written: true, synced: true, getSync: false, getMany: true, deleteRange: true }),
  persists: true,
  settings,
  open: async (directory, options) => {
    const { RocksLevel } = (await import(PACKAGE)) as RocksModule
    const db = new RocksLevel(directory, { ...BUFFERS, ...settings(options) })
    await db.open()
    return new RocksStore(db)
  },
}

class RocksStore extends LevelStore {
  readonly #db: RocksDatabase

  constructor(db: RocksDatabase) {
    super(db)
    this.#db = db
  }

  /** Its `get` is a `getMany` of one that makes an error for a missing key; this spares the error. */
  override async get(key: Uint8Array): Promise<Value> {
    return (await this.#db.getMany([key], BUFFERS))[0]
  }

  /** Its `put` does not heed `sync`: of 200 such puts 6 were synced, by strace; of 200 batches all. */
  override putSynced(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.#db.batch().put(key, value).write({ sync: true })
  }

  override getSync(): Value {
    throw new TypeError('there is no getSync')
  }

  /** It offers no compaction: waits until RocksDB has done what it wants to. */
  override async compact(): Promise<void> {
    for (let quiet = 0; quiet < QUIET_POLLS;) {
      await sleep(POLL_MS)
      const busy = ['num-running-flushes', 'num-running-compactions', 'mem-table-flush-pending', 'compaction-pending']
      quiet = busy.every((name) => Number(this.#db.getProperty(`rocksdb.${name}`)) === 0) ? quiet + 1 : 0
    }
  }
}
