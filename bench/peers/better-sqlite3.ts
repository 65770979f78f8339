/** better-sqlite3 12: SQLite, synchronous, one table without row ids, write-ahead log. */

import { join } from 'node:path'
import type { Peer, ScanRequest, Store, StoreOptions, Value, Visit } from './peer.ts'

const PACKAGE = 'better-sqlite3'
const KIB = 1024
const SCAN_CHUNK = 1000

interface Statement {
  run(...parameters: unknown[]): unknown
  get(...parameters: unknown[]): unknown
  all(...parameters: unknown[]): unknown[]
  pluck(): this
  raw(): this
}

interface SqliteDatabase {
  prepare(text: string): Statement
  pragma(text: string): unknown
  exec(text: string): unknown
  close(): void
}

interface SqliteModule {
  readonly default: new (path: string) => SqliteDatabase
}

function settings({ cacheBytes, synced }: StoreOptions): Readonly<Record<string, unknown>> {
  return {
    journal_mode: 'WAL',
    // OFF still hands every commit to the operating system, which is what `written` means.
    synchronous: synced ? 'FULL' : 'OFF',
    locking_mode: 'EXCLUSIVE',
    cache_size: -cacheBytes / KIB,
    mmap_size: 64 * KIB * KIB * KIB,
    temp_store: 'MEMORY',
  }
}

export const betterSqlite3: Peer = {
  name: 'better-sqlite3',
  supports: Object.freeze({ written: true, synced: true, getSync: true, getMany: true, deleteRange: true }),
  persists: true,
  settings,
  open: async (directory, options) => {
    const { default: Database } = (await import(PACKAGE)) as SqliteModule
    const db = new Database(join(directory, 'data.sqlite'))
    for (const [name, value] of Object.entries(settings(options))) db.pragma(`${name} = ${String(value)}`)
    db.exec('CREATE TABLE IF NOT EXISTS entry (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID')
    return new SqliteStore(db)
  },
}

class SqliteStore implements Store {
  readonly #db: SqliteDatabase
  readonly #put: Statement
  readonly #get: Statement
  readonly #deleteRange: Statement
  readonly #begin: Statement
  readonly #commit: Statement
  readonly #forward: Statement
  readonly #forwardFrom: Statement
  readonly #forwardPast: Statement
  readonly #backward: Statement
  readonly #backwardFrom: Statement
  readonly #backwardPast: Statement

  constructor(db: SqliteDatabase) {
    this.#db = db
    this.#put = db.prepare('INSERT INTO entry VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value')
    this.#get = db.prepare('SELECT value FROM entry WHERE key = ?').pluck()
    this.#deleteRange = db.prepare('DELETE FROM entry WHERE key >= ? AND key < ?')
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#commit = db.prepare('COMMIT')
    const scan = (where: string, order: string): Statement =>
      db.prepare(`SELECT key, value FROM entry ${where} ORDER BY key ${order} LIMIT ?`).raw()
    this.#forward = scan('', 'ASC')
    this.#forwardFrom = scan('WHERE key >= ?', 'ASC')
    this.#forwardPast = scan('WHERE key > ?', 'ASC')
    this.#backward = scan('', 'DESC')
    this.#backwardFrom = scan('WHERE key <= ?', 'DESC')
    this.#backwardPast = scan('WHERE key < ?', 'DESC')
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.#put.run(key, value)
  }

  putSynced(key: Uint8Array, value: Uint8Array): void {
    this.#put.run(key, value)
  }

  batch(keys: readonly Uint8Array[], values: readonly Uint8Array[], start: number, limit: number): void {
    this.#begin.run()
    for (let at = start; at < limit; at++) this.#put.run(keys[at], values[at])
    this.#commit.run()
  }

  get(key: Uint8Array): Value {
    return this.#get.get(key) as Value
  }

  getSync(key: Uint8Array): Value {
    return this.#get.get(key) as Value
  }

  getMany(keys: readonly Uint8Array[]): readonly Value[] {
    return keys.map((key) => this.#get.get(key) as Value)
  }

  /** Pages of `all` are faster than `iterate`, which crosses into C++ for each row. */
  scan({ from, reverse, limit }: ScanRequest, visit: Visit): void {
    const [first, firstFrom, past] = reverse
      ? [this.#backward, this.#backwardFrom, this.#backwardPast]
      : [this.#forward, this.#forwardFrom, this.#forwardPast]
    let last: Uint8Array | undefined
    for (let left = limit; left > 0;) {
      const count = Math.min(left, SCAN_CHUNK)
      const rows = (
        last !== undefined ? past.all(last, count) : from !== undefined ? firstFrom.all(from, count) : first.all(count)
      ) as [Uint8Array, Uint8Array][]
      for (const [key, value] of rows) visit(key, value)
      if (rows.length < count) return
      left -= rows.length
      last = rows.at(-1)?.[0]
    }
  }

  deleteRange(start: Uint8Array, limit: Uint8Array): void {
    this.#deleteRange.run(start, limit)
  }

  compact(): void {
    this.#db.pragma('wal_checkpoint(TRUNCATE)')
  }

  close(): void {
    this.#db.close()
  }
}
