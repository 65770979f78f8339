/** `varve/postgres`: a PostgreSQL database, for the parts that live in one. Needs the package `pg`. */

export { PostgresDatabase } from './postgres-database.ts'
export type { PostgresDatabaseOptions } from './postgres-database.ts'
export type { PostgresAddress } from './postgres-address.ts'
export { POSTGRES_DEFAULTS } from './settings.ts'
export type { PostgresSettings } from './settings.ts'
export { SqlFailure } from './sql.ts'
export type { Sql, SqlAnswer, SqlFailureOptions, SqlRow, SqlSession, SqlStatement, SqlValue } from './sql.ts'
export { creationScript } from './sql-tables.ts'
export type { SqlTables } from './sql-tables.ts'
