/**
 * The tables of one part, made where they are missing, with a version of their own.
 *
 * Names are quoted, so a schema may be called anything. Several processes may do this at once: a lock of the database lets
 * one after the other.
 */

import { VarveError } from '../kernel/errors.ts'
import { integerOf } from './sql-row.ts'
import type { SqlAnswer, SqlStatement, SqlValue } from './sql.ts'

/** A part's tables: how to make them, and which version they are. */
export interface SqlTables {
  /** Such as `journal`. */
  readonly part: string
  /** Grows when tables change. */
  readonly version: number
  /** Statements that make them, with `$` in the place of the schema. */
  readonly statements: readonly string[]
  /** Where nothing is lost with them: statements that remove those of any version. */
  readonly removal?: readonly string[]
}

/** What `ensureTables` needs of a database: statements that may be made again. */
export interface TableMaker {
  readonly schema: string
  readonly create: boolean
  repeat(statement: SqlStatement, values: readonly SqlValue[]): Promise<SqlAnswer>
  script(text: string): Promise<void>
}

// Any number that others are unlikely to lock: "varve" in ASCII.
const LOCK = '0x7661727665'

export function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}

/** One transaction that makes the tables and says which version they have. */
export function creationScript(schema: string, { part, version, statements }: SqlTables): string {
  const name = quoted(schema)
  return [
    `SELECT pg_catalog.pg_advisory_xact_lock(${Number(LOCK)})`,
    `CREATE SCHEMA IF NOT EXISTS ${name}`,
    `CREATE TABLE IF NOT EXISTS ${name}.format (part text PRIMARY KEY, version integer NOT NULL)`,
    ...statements.map((statement) => statement.replaceAll('$', name)),
    `INSERT INTO ${name}.format (part, version) VALUES ('${part}', ${version}) ON CONFLICT (part) DO NOTHING`,
  ].join(';\n')
}

/** @throws {VarveError} INCOMPATIBLE — of another version, or not there and not to be made */
export async function ensureTables(maker: TableMaker, tables: SqlTables): Promise<void> {
  const { part, version } = tables
  let found = await versionOf(maker, part)
  if (found === undefined && maker.create) {
    await maker.script(creationScript(maker.schema, tables))
    found = await versionOf(maker, part)
  }
  if (found === version) return
  const wayOut = wayOutOf(maker.schema, tables, found)
  const reason =
    found === undefined
      ? `there are no tables of ${part} in schema ${maker.schema}`
      : `the tables of ${part} in schema ${maker.schema} have version ${found}, this varve has ${version}`
  throw new VarveError('INCOMPATIBLE', `${reason}; ${wayOut}`, {
    details: { what: `tables of ${part}`, found, expected: version, wayOut },
  })
}

function wayOutOf(schema: string, tables: SqlTables, found: number | undefined): string {
  const { part, version } = tables
  if (found === undefined) return `they are made by whoever opens with create: true, or runs what creationScript gives`
  if (found > version) return 'use the newer varve, or another schema'
  const removal = removalScript(schema, tables)
  if (removal === undefined) return 'use the varve that made them, or another schema'
  return `stop everything that uses the ${part} in them, then run once: ${removal}`
}

/** One transaction after which the tables are made anew by who opens them first; undefined: they keep what is needed. */
function removalScript(schema: string, { part, removal }: SqlTables): string | undefined {
  if (removal === undefined) return undefined
  const name = quoted(schema)
  const statements = [...removal, `DELETE FROM $.format WHERE part = '${part}'`]
  return ['BEGIN', ...statements.map((statement) => statement.replaceAll('$', name)), 'COMMIT'].join('; ')
}

async function versionOf(maker: TableMaker, part: string): Promise<number | undefined> {
  const table = `${quoted(maker.schema)}.format`
  const there = await maker.repeat(
    { name: '', text: 'SELECT 1 AS there WHERE pg_catalog.to_regclass($1) IS NOT NULL' },
    [table],
  )
  if (there.rows.length === 0) return undefined
  const { rows } = await maker.repeat({ name: '', text: `SELECT version FROM ${table} WHERE part = $1` }, [part])
  return rows[0] === undefined ? undefined : integerOf(rows[0], 'version')
}
