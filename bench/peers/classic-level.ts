/** classic-level 3: LevelDB behind `abstract-level`. */

import { makeKey } from '../data/keys.ts'
import { LevelStore } from './level-store.ts'
import type { LevelDatabase } from './level-store.ts'
import type { Peer, StoreOptions, Value } from './peer.ts'

const PACKAGE = 'classic-level'
const MIB = 1024 * 1024
const BUFFERS = { keyEncoding: 'buffer', valueEncoding: 'buffer' }

interface ClassicLevelDatabase extends LevelDatabase {
  getSync(key: Uint8Array): Value
  compactRange(start: Uint8Array, end: Uint8Array, options: object): Promise<void>
}

interface ClassicLevelModule {
  readonly ClassicLevel: new (directory: string, options: object) => ClassicLevelDatabase
}

function settings({ cacheBytes }: StoreOptions): Readonly<Record<string, unknown>> {
  return {
    cacheSize: cacheBytes,
    // LevelDB's 4 MiB makes a fill wait for level 0; 32 MiB is what varve's memtable has.
    writeBufferSize: 32 * MIB,
    highWaterMarkBytes: 1 * MIB,
  }
}

export const classicLevel: Peer = {
  name: 'classic-level',
  supports: Object.freeze({ written: true, synced: true, getSync: true, getMany: true, deleteRange: true }),
  persists: true,
  settings,
  open: async (directory, options) => {
    const { ClassicLevel } = (await import(PACKAGE)) as ClassicLevelModule
    const { highWaterMarkBytes: _perIterator, ...opening } = settings(options)
    const db = new ClassicLevel(directory, { ...BUFFERS, ...opening })
    await db.open()
    return new ClassicLevelStore(db)
  },
}

class ClassicLevelStore extends LevelStore {
  readonly #db: ClassicLevelDatabase

  constructor(db: ClassicLevelDatabase) {
    super(db)
    this.#db = db
  }

  override getSync(key: Uint8Array): Value {
    return this.#db.getSync(key)
  }

  /** "Optimal performance can be achieved by setting highWaterMarkBytes to at least size × entry length" (its README). */
  protected override scanOptions(limit: number): object {
    return limit === Infinity ? { highWaterMarkBytes: 1 * MIB } : { limit, highWaterMarkBytes: 1 * MIB }
  }

  override async compact(): Promise<void> {
    await this.#db.compactRange(makeKey(0), Buffer.alloc(16, 0xff), BUFFERS)
  }
}
