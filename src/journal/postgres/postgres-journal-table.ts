/** The tables of the journal, and the statements over them. Spec: docs/formats/postgres.md. */

import { concatBytes } from '../../kernel/bytes.ts'
import type { ShardId } from '../../kernel/ids.ts'
import type { PostgresDatabase } from '../../postgres/postgres-database.ts'
import { bytesOf, integerOf, textOf, u64Column, u64Of } from '../../postgres/sql-row.ts'
import type { SqlTables } from '../../postgres/sql-tables.ts'
import { isFull } from '../../postgres/sql-retry.ts'
import { SqlFailure } from '../../postgres/sql.ts'
import type { SqlAnswer, SqlRow, SqlStatement, SqlValue } from '../../postgres/sql.ts'
import { JournalReserve, keptForVacuum } from './journal-reserve.ts'
import type { Durability } from '../journal.ts'
import type { JournalRow, JournalTable, LogState, RowAppend, RowKind, RowOutcome } from './journal-table.ts'

/** The tables, for whoever makes them beforehand: see `creationScript` of `varve/postgres`. */
export const JOURNAL_TABLES: SqlTables = Object.freeze({
  part: 'journal',
  version: 1,
  statements: Object.freeze([
    // Most of a page stays free, so that a changed row finds room beside itself and leaves nothing for indexes or vacuum.
    `CREATE TABLE IF NOT EXISTS $.journal (
      shard text COLLATE "C" PRIMARY KEY,
      epoch bigint NOT NULL,
      owner text NOT NULL,
      start_position bigint NOT NULL,
      end_position bigint NOT NULL
    ) WITH (fillfactor = 20)`,
    `CREATE TABLE IF NOT EXISTS $.journal_row (
      shard text COLLATE "C" NOT NULL,
      position bigint NOT NULL,
      size integer NOT NULL,
      batch bigint NOT NULL,
      kind smallint NOT NULL,
      checksum bigint NOT NULL,
      content bytea NOT NULL,
      PRIMARY KEY (shard, position)
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000)`,
    // Tables compress when they are flushed; here it would only take time.
    `ALTER TABLE $.journal_row ALTER COLUMN content SET STORAGE EXTERNAL`,
    `CREATE TABLE IF NOT EXISTS $.journal_reserve (filler bigint NOT NULL) WITH (fillfactor = 10)`,
  ]),
})

const KINDS: readonly RowKind[] = ['batches', 'part', 'last']
const ROW = 'position, size, batch, kind, checksum, content'
const ROWS_MAX = 512
const DELETED_MAX = 500

interface Statements {
  readonly claim: SqlStatement
  readonly look: SqlStatement
  readonly append: SqlStatement
  readonly rows: SqlStatement
  readonly rowsEnd: SqlStatement
  readonly batchStart: SqlStatement
  readonly moveStart: SqlStatement
  readonly deleteBefore: SqlStatement
}

export class PostgresJournalTable implements JournalTable {
  readonly #database: PostgresDatabase
  readonly #statements: Statements
  readonly #reserve: JournalReserve

  private constructor(database: PostgresDatabase) {
    this.#database = database
    this.#statements = statementsOf(database.table('journal'), database.table('journal_row'))
    this.#reserve = new JournalReserve(database)
  }

  /** @throws {VarveError} IO_FAILED, PERMISSION_DENIED, INCOMPATIBLE */
  static async open(database: PostgresDatabase): Promise<PostgresJournalTable> {
    await database.ensure(JOURNAL_TABLES)
    const table = new PostgresJournalTable(database)
    await table.#reserve.fill()
    return table
  }

  /** What a commit can promise, as the server is configured now. */
  async durability(): Promise<readonly Durability[]> {
    return (await this.#database.commitsAreDurable()) ? ['written', 'synced'] : ['written']
  }

  async claim(shard: ShardId, epoch: number, owner: string): Promise<LogState> {
    const { rows, warned } = await this.#database.repeat(this.#statements.claim, [shard, epoch, owner])
    // Not confirmed by the standbys: another one has to be.
    if (warned) return this.claim(shard, epoch, owner)
    if (rows[0] !== undefined) return stateOf(rows[0])
    // Somebody with a higher epoch has been here: their row stays.
    const found = await this.look(shard)
    return found ?? this.claim(shard, epoch, owner)
  }

  async look(shard: ShardId): Promise<LogState | undefined> {
    const { rows } = await this.#database.repeat(this.#statements.look, [shard])
    return rows[0] === undefined ? undefined : stateOf(rows[0])
  }

  async append({ shard, epoch, owner, start, end, rows, durable }: RowAppend): Promise<RowOutcome> {
    // One without rows takes no room.
    if (this.#reserve.making && rows.length > 0) {
      if (await this.#isLost(shard, epoch, owner)) return 'refused'
      throw keptForVacuum()
    }
    const offsets: number[] = []
    let bytes = 0
    for (const { content } of rows) {
      // SQL counts from 1.
      offsets.push(bytes + 1)
      bytes += content.length
    }
    const contents = rows.map(({ content }) => content)
    const { rows: answer, warned } = await this.#insert([
      shard,
      epoch,
      owner,
      start,
      end,
      durable ? 'on' : 'off',
      contents.length === 1 ? (contents[0] as Uint8Array) : concatBytes(contents),
      rows.map(({ position }) => position),
      rows.map(({ size }) => size),
      rows.map(({ batch }) => batch),
      rows.map(({ kind }) => KINDS.indexOf(kind)),
      rows.map(({ checksum }) => u64Column(checksum)),
      offsets,
      contents.map(({ length }) => length),
    ])
    if (answer.length === 0) return 'refused'
    return warned ? 'unconfirmed' : 'done'
  }

  async #insert(values: readonly SqlValue[]): Promise<SqlAnswer> {
    try {
      return await this.#database.query(this.#statements.append, values)
    } catch (error) {
      if (error instanceof SqlFailure && isFull(error)) this.#reserve.refused()
      throw error
    }
  }

  /** Whether another one has it now; nobody is told so who cannot be told now. */
  async #isLost(shard: ShardId, epoch: number, owner: string): Promise<boolean> {
    try {
      const { rows } = await this.#database.query(this.#statements.look, [shard])
      const state = rows[0] === undefined ? undefined : stateOf(rows[0])
      return state?.epoch !== epoch || state.owner !== owner
    } catch {
      return false
    }
  }

  async rows(shard: ShardId, from: number, limit: number, bytesMax: number): Promise<readonly JournalRow[]> {
    const { rows } = await this.#database.repeat(this.#statements.rows, [shard, from, limit, bytesMax])
    return rows.map(rowOf)
  }

  async rowsEnd(shard: ShardId): Promise<number | undefined> {
    const { rows } = await this.#database.repeat(this.#statements.rowsEnd, [shard])
    return rows[0] === undefined ? undefined : integerOf(rows[0], 'rows_end')
  }

  async batchStart(shard: ShardId, position: number): Promise<number | undefined> {
    const { rows } = await this.#database.repeat(this.#statements.batchStart, [shard, position])
    return rows[0] === undefined ? undefined : integerOf(rows[0], 'batch')
  }

  async moveStart(shard: ShardId, epoch: number, owner: string, start: number): Promise<boolean> {
    const { rows } = await this.#database.repeat(this.#statements.moveStart, [shard, epoch, owner, start])
    return rows.length > 0
  }

  async deleteBefore(shard: ShardId, position: number): Promise<number> {
    const { rows } = await this.#database.repeat(this.#statements.deleteBefore, [shard, position])
    return rows[0] === undefined ? 0 : integerOf(rows[0], 'deleted')
  }
}

function statementsOf(journal: string, row: string): Statements {
  return {
    claim: {
      name: 'varve-journal-claim',
      text: `INSERT INTO ${journal} AS j (shard, epoch, owner, start_position, end_position)
        VALUES ($1, $2::bigint, $3, 0, 0)
        ON CONFLICT (shard) DO UPDATE SET epoch = excluded.epoch, owner = excluded.owner WHERE j.epoch <= excluded.epoch
        RETURNING epoch, owner, start_position, end_position`,
    },
    look: {
      name: 'varve-journal-look',
      text: `SELECT epoch, owner, start_position, end_position FROM ${journal} WHERE shard = $1`,
    },
    // How the commit is made is a setting of its transaction, made by the way.
    append: {
      name: 'varve-journal-append',
      text: `WITH owned AS (
          UPDATE ${journal} AS j SET end_position = $5::bigint
          FROM (SELECT set_config('synchronous_commit', $6, true)) AS mode
          WHERE shard = $1 AND epoch = $2::bigint AND owner = $3 AND end_position = $4::bigint
          RETURNING shard
        ), inserted AS (
          INSERT INTO ${row} (shard, position, size, batch, kind, checksum, content)
          SELECT owned.shard, r.position, r.size, r.batch, r.kind, r.checksum, substring($7::bytea FROM r.first FOR r.bytes)
          FROM owned, unnest($8::bigint[], $9::integer[], $10::bigint[], $11::smallint[], $12::bigint[], $13::integer[],
            $14::integer[]) AS r (position, size, batch, kind, checksum, first, bytes)
        )
        SELECT shard FROM owned`,
    },
    rows: {
      name: 'varve-journal-rows',
      text: `SELECT ${ROW} FROM (
          SELECT ${ROW}, sum(size) OVER (ORDER BY position) - size AS before FROM (
            SELECT ${ROW} FROM ${row}
            WHERE shard = $1 AND position < $3::bigint AND position >= coalesce(
              (SELECT max(position) FROM ${row} WHERE shard = $1 AND position <= $2::bigint), $2::bigint)
            ORDER BY position LIMIT ${ROWS_MAX}
          ) AS next
        ) AS counted WHERE before < $4::bigint ORDER BY position`,
    },
    rowsEnd: {
      name: 'varve-journal-rows-end',
      text: `SELECT position + size AS rows_end FROM ${row} WHERE shard = $1 ORDER BY position DESC LIMIT 1`,
    },
    batchStart: {
      name: 'varve-journal-batch-start',
      text: `SELECT batch FROM ${row} WHERE shard = $1 AND position = coalesce(
          (SELECT max(position) FROM ${row} WHERE shard = $1 AND position <= $2::bigint),
          (SELECT min(position) FROM ${row} WHERE shard = $1 AND position > $2::bigint))`,
    },
    moveStart: {
      name: 'varve-journal-move-start',
      text: `UPDATE ${journal} SET start_position = $4::bigint
        WHERE shard = $1 AND epoch = $2::bigint AND owner = $3 AND start_position <= $4::bigint RETURNING shard`,
    },
    // Only what the shard's row says is not needed: whoever asks may not be the owner any more.
    deleteBefore: {
      name: 'varve-journal-delete-before',
      text: `WITH deleted AS (
          DELETE FROM ${row} WHERE shard = $1 AND position IN (
            SELECT r.position FROM ${row} AS r JOIN ${journal} AS j USING (shard)
            WHERE r.shard = $1 AND r.position < least($2::bigint, j.start_position) ORDER BY r.position LIMIT ${DELETED_MAX}
          ) RETURNING 1
        )
        SELECT count(*) AS deleted FROM deleted`,
    },
  }
}

function stateOf(row: SqlRow): LogState {
  return {
    epoch: integerOf(row, 'epoch'),
    owner: textOf(row, 'owner'),
    start: integerOf(row, 'start_position'),
    end: integerOf(row, 'end_position'),
  }
}

function rowOf(row: SqlRow): JournalRow {
  return {
    position: integerOf(row, 'position'),
    size: integerOf(row, 'size'),
    batch: integerOf(row, 'batch'),
    // One that is not known fails its checksum.
    kind: KINDS[integerOf(row, 'kind')] ?? 'batches',
    checksum: u64Of(row, 'checksum'),
    content: bytesOf(row, 'content'),
  }
}
