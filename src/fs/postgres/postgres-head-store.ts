/**
 * Heads in a PostgreSQL database: a row for each shard, changed where its version is as expected.
 *
 * A version is a number and a part that nobody else has chosen, so it names one state even where a database was set back to
 * an earlier one. It also tells whose a head is: a change whose answer was lost is made again as it was, and where it is
 * refused because it is there already, it is confirmed by another commit, which comes after it in the server's log.
 */

import { VarveError, isCode, throwIfAborted } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { nonce } from '../../kernel/random.ts'
import type { Random } from '../../kernel/random.ts'
import type { PostgresDatabase } from '../../postgres/postgres-database.ts'
import { RetryPauses, passes, storageError } from '../../postgres/sql-retry.ts'
import { bytesOf, textOf, u64Column, u64Of } from '../../postgres/sql-row.ts'
import type { SqlTables } from '../../postgres/sql-tables.ts'
import { SqlFailure } from '../../postgres/sql.ts'
import type { SqlAnswer, SqlStatement } from '../../postgres/sql.ts'
import type { AbortOptions, Head, HeadStore, HeadVersion } from '../fs.ts'
import { headConflict } from '../head-conflict.ts'
import { checkHeadSize } from '../head-size.ts'

/** What heads in a database are made of. */
export interface PostgresHeadStoreOptions {
  /** Stays the caller's. */
  readonly database: PostgresDatabase
  /** Checksums of heads. */
  readonly hash: Hash
  /** Makes the parts of versions that nobody else has chosen. */
  readonly random: Random
}

/** The tables, for whoever makes them beforehand: see `creationScript` of `varve/postgres`. */
export const HEAD_TABLES: SqlTables = Object.freeze({
  part: 'heads',
  version: 1,
  statements: Object.freeze([
    `CREATE TABLE IF NOT EXISTS $.head (
      shard text COLLATE "C" PRIMARY KEY,
      version text NOT NULL,
      checksum bigint NOT NULL,
      content bytea NOT NULL
    ) WITH (fillfactor = 50)`,
    // Beside the row, a new head would need room that a full disk does not have before a flush, which needs a new head.
    `ALTER TABLE $.head ALTER COLUMN content SET STORAGE MAIN`,
  ]),
})

interface Statements {
  readonly read: SqlStatement
  readonly create: SqlStatement
  readonly replace: SqlStatement
  readonly confirm: SqlStatement
}

/** Heads in a table. A change has resolved once the server has committed it to its disk. */
export class PostgresHeadStore implements HeadStore {
  readonly name = 'postgres'
  readonly #database: PostgresDatabase
  readonly #hash: Hash
  readonly #random: Random
  readonly #statements: Statements

  private constructor({ database, hash, random }: PostgresHeadStoreOptions) {
    this.#database = database
    this.#hash = hash
    this.#random = random
    this.#statements = statementsOf(database.table('head'))
  }

  /**
   * Makes the table where it is missing.
   *
   * @throws {VarveError} UNSUPPORTED — the server runs without `fsync` or `full_page_writes`, or is a standby; IO_FAILED,
   *   PERMISSION_DENIED, INCOMPATIBLE
   */
  static async open(options: PostgresHeadStoreOptions): Promise<PostgresHeadStore> {
    const { database } = options
    await database.ensure(HEAD_TABLES)
    if (await database.commitsAreDurable()) return new PostgresHeadStore(options)
    throw new VarveError('UNSUPPORTED', 'PostgreSQL runs without fsync or full_page_writes: heads have to be durable', {
      details: { capability: 'fsync' },
    })
  }

  async read(shard: ShardId, { signal }: AbortOptions = {}): Promise<Head | undefined> {
    const { rows } = await this.#database.repeat(this.#statements.read, [shard], signal)
    const row = rows[0]
    if (row === undefined) return undefined
    const [version, content] = [textOf(row, 'version'), bytesOf(row, 'content')]
    if (u64Of(row, 'checksum') !== this.#checksum(shard, version, content)) {
      throw new VarveError('HEAD_CORRUPT', `the head of ${shard} in PostgreSQL is damaged`, {
        details: { file: `(row of ${shard})`, offset: 0, reason: 'its checksum does not match' },
      })
    }
    return { version: version as HeadVersion, content }
  }

  async compareAndSet(
    shard: ShardId,
    expected: HeadVersion | undefined,
    content: Uint8Array,
    { signal }: AbortOptions = {},
  ): Promise<HeadVersion> {
    throwIfAborted(signal)
    checkHeadSize(content)
    const count = expected === undefined ? 0 : Number.parseInt(expected, 10)
    const version = `${(Number.isSafeInteger(count) ? count : 0) + 1}-${nonce(this.#random)}` as HeadVersion
    const checksum = u64Column(this.#checksum(shard, version, content))
    const change = (): Promise<SqlAnswer> =>
      expected === undefined
        ? this.#database.query(this.#statements.create, [shard, version, checksum, content])
        : this.#database.query(this.#statements.replace, [shard, version, checksum, content, expected])
    if (await this.#commit(change)) return version
    const found = await this.#versionOf(shard)
    if (found === version) {
      // An earlier try, of which nobody told us. Whether standbys have it neither.
      const confirm = (): Promise<SqlAnswer> => this.#database.query(this.#statements.confirm, [shard, version])
      if (await this.#commit(confirm)) return version
    }
    throw headConflict(shard, expected, found)
  }

  /**
   * Makes a change until it is answered.
   *
   * @returns false where it is refused: it was not made, or by an earlier try
   * @throws {VarveError} OUTCOME_UNKNOWN, NO_SPACE, IO_FAILED, …
   */
  async #commit(change: () => Promise<SqlAnswer>): Promise<boolean> {
    const { clock, settings } = this.#database
    const pauses = new RetryPauses(clock, settings.awayMs)
    let unknown = false
    let failure: unknown
    let failed: SqlFailure | undefined
    do {
      try {
        const { rows, warned } = await change()
        if (rows.length === 0) return false
        if (!warned) return true
        unknown = true
      } catch (error) {
        failure = storageError(error, 'change a head')
        if (!(error instanceof SqlFailure)) break
        failed = error
        if (!error.answered) unknown = true
        if (!passes(error)) break
      }
    } while (await pauses.pause(failed))
    if (!unknown) throw failure
    throw new VarveError('OUTCOME_UNKNOWN', 'nobody told whether a head was changed', {
      details: { operation: 'compareAndSet' },
      cause: failure,
    })
  }

  async #versionOf(shard: ShardId): Promise<string | undefined> {
    try {
      const { rows } = await this.#database.repeat(this.#statements.read, [shard])
      return rows[0] === undefined ? undefined : textOf(rows[0], 'version')
    } catch (error) {
      if (!isCode(error, 'IO_FAILED', 'PERMISSION_DENIED')) throw error
      throw new VarveError('OUTCOME_UNKNOWN', 'a head could not be read after it was changed', {
        details: { operation: 'compareAndSet' },
        cause: error,
      })
    }
  }

  #checksum(shard: ShardId, version: string, content: Uint8Array): bigint {
    return this.#hash.hash64(content, this.#hash.hash64(new TextEncoder().encode(`${shard}/${version}`), 0n))
  }
}

function statementsOf(head: string): Statements {
  return {
    read: { name: 'varve-head-read', text: `SELECT version, checksum, content FROM ${head} WHERE shard = $1` },
    create: {
      name: 'varve-head-create',
      text: `INSERT INTO ${head} (shard, version, checksum, content) VALUES ($1, $2, $3::bigint, $4::bytea)
        ON CONFLICT (shard) DO NOTHING RETURNING version`,
    },
    replace: {
      name: 'varve-head-replace',
      text: `UPDATE ${head} SET version = $2, checksum = $3::bigint, content = $4::bytea
        WHERE shard = $1 AND version = $5 RETURNING version`,
    },
    confirm: {
      name: 'varve-head-confirm',
      text: `UPDATE ${head} SET version = version WHERE shard = $1 AND version = $2 RETURNING version`,
    },
  }
}
