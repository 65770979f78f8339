/** A store over any `abstract-level` database whose keys and values are buffers. */

import type { ScanRequest, Store, Value, Visit } from './peer.ts'

/** The part of `abstract-level` that the harness calls. */
export interface LevelDatabase {
  open(): Promise<void>
  close(): Promise<void>
  put(key: Uint8Array, value: Uint8Array, options: object): Promise<void>
  batch(operations: readonly object[], options: object): Promise<void>
  batch(): LevelBatch
  get(key: Uint8Array, options: object): Promise<Value>
  getMany(keys: readonly Uint8Array[], options: object): Promise<Value[]>
  iterator(options: object): LevelIterator
  clear(options: object): Promise<void>
}

export interface LevelBatch {
  put(key: Uint8Array, value: Uint8Array): this
  write(options?: object): Promise<void>
}

interface LevelIterator {
  nextv(size: number): Promise<[Uint8Array, Uint8Array][]>
  close(): Promise<void>
}

const NO_OPTIONS = Object.freeze({})
const SYNCED = Object.freeze({ sync: true })
const SCAN_CHUNK = 1000

export abstract class LevelStore implements Store {
  protected readonly db: LevelDatabase

  constructor(db: LevelDatabase) {
    this.db = db
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.db.put(key, value, NO_OPTIONS)
  }

  putSynced(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.db.put(key, value, SYNCED)
  }

  batch(keys: readonly Uint8Array[], values: readonly Uint8Array[], start: number, limit: number): Promise<void> {
    const operations = []
    for (let at = start; at < limit; at++) operations.push({ type: 'put', key: keys[at], value: values[at] })
    return this.db.batch(operations, NO_OPTIONS)
  }

  get(key: Uint8Array): Promise<Value> {
    return this.db.get(key, NO_OPTIONS)
  }

  abstract getSync(key: Uint8Array): Value

  getMany(keys: readonly Uint8Array[]): Promise<Value[]> {
    return this.db.getMany(keys, NO_OPTIONS)
  }

  async scan({ from, reverse, limit }: ScanRequest, visit: Visit): Promise<void> {
    const bound = from === undefined ? {} : reverse ? { lte: from } : { gte: from }
    const iterator = this.db.iterator({ ...bound, reverse, ...this.scanOptions(limit) })
    try {
      for (let left = limit; left > 0;) {
        const entries = await iterator.nextv(Math.min(left, SCAN_CHUNK))
        if (entries.length === 0) return
        for (const [key, value] of entries) visit(key, value)
        left -= entries.length
      }
    } finally {
      await iterator.close()
    }
  }

  protected scanOptions(limit: number): object {
    return limit === Infinity ? NO_OPTIONS : { limit }
  }

  deleteRange(start: Uint8Array, limit: Uint8Array): Promise<void> {
    return this.db.clear({ gte: start, lt: limit })
  }

  abstract compact(): Promise<void>

  close(): Promise<void> {
    return this.db.close()
  }
}
