/**
 * One connection to a PostgreSQL server, set up the way varve's statements need it, by way of `pg`.
 *
 * Every value is taken as text: which types a column has is known here better than there, and 64-bit integers stay whole.
 */

import pg from 'pg'
import type { Clock } from '../kernel/clock.ts'
import { SqlFailure } from './sql.ts'
import type { Sql, SqlAnswer, SqlRow, SqlStatement, SqlValue } from './sql.ts'

/** Where the server is, and as whom. What is missing is taken from the environment (`PGHOST`, `PGUSER`, …), as by `psql`. */
export interface PostgresAddress {
  /** Such as `postgres://user:password@host:5432/database`. Instead of what follows. */
  readonly connectionString?: string
  /** A name or address; a folder for a Unix socket. */
  readonly host?: string
  readonly port?: number
  readonly database?: string
  readonly user?: string
  /** Asked for at every connection where it is a function. */
  readonly password?: string | (() => Promise<string>)
  /** As of `tls.connect`; true: with the authorities of this machine. Default: not encrypted. */
  readonly ssl?:
    | boolean
    | { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly rejectUnauthorized?: boolean }
}

export interface PostgresConnectionOptions {
  readonly address: PostgresAddress
  readonly clock: Clock
  /** How long the server may take for one statement, in milliseconds. */
  readonly answerMs: number
  readonly onNotification?: (channel: string) => void
  /** Called once, when the connection has ended. */
  readonly onEnd?: () => void
}

// Statements are written for these, whatever a database or a role has as its defaults.
const SETTINGS = `SELECT pg_catalog.set_config('synchronous_commit', 'on', false),
  pg_catalog.set_config('default_transaction_isolation', 'read committed', false),
  pg_catalog.set_config('bytea_output', 'hex', false),
  pg_catalog.set_config('search_path', 'pg_catalog', false),
  pg_catalog.set_config('statement_timeout', $1, false)`

const AS_TEXT = { getTypeParser: () => (text: string) => text }

export class PostgresConnection implements Sql {
  readonly #client: pg.Client
  readonly #clock: Clock
  readonly #answerMs: number
  #alive = true
  #warned = false

  private constructor(client: pg.Client, { clock, answerMs, onNotification, onEnd }: PostgresConnectionOptions) {
    this.#client = client
    this.#clock = clock
    this.#answerMs = answerMs
    const ended = (): void => {
      if (!this.#alive) return
      this.#alive = false
      onEnd?.()
    }
    client.on('error', ended)
    client.on('end', ended)
    client.on('notice', ({ severity }) => {
      if (severity === 'WARNING') this.#warned = true
    })
    client.on('notification', ({ channel }) => onNotification?.(channel))
  }

  /** @throws {SqlFailure} */
  static async open(options: PostgresConnectionOptions): Promise<PostgresConnection> {
    const { address, answerMs } = options
    const client = new pg.Client({
      ...address,
      keepAlive: true,
      connectionTimeoutMillis: answerMs,
      application_name: 'varve',
    })
    const connection = new PostgresConnection(client, options)
    try {
      await client.connect()
    } catch (error) {
      connection.#alive = false
      // Nothing was sent.
      throw new SqlFailure(`no connection to PostgreSQL: ${messageOf(error)}`, {
        answered: true,
        sqlState: sqlStateOf(error) ?? '08001',
        cause: error,
      })
    }
    try {
      await connection.query({ name: '', text: SETTINGS }, [String(answerMs)])
      return connection
    } catch (error) {
      await connection.close()
      throw error instanceof SqlFailure && !error.answered
        ? new SqlFailure(error.message, { answered: true, sqlState: '08006', cause: error })
        : error
    }
  }

  get alive(): boolean {
    return this.#alive
  }

  async query({ name, text }: SqlStatement, values: readonly SqlValue[]): Promise<SqlAnswer> {
    const { rows, warned } = await this.#run({ text, values: values.map(parameter), ...(name === '' ? {} : { name }) })
    return { rows, warned }
  }

  /** Several statements without values, in one transaction. @throws {SqlFailure} */
  async script(text: string): Promise<void> {
    await this.#run({ text })
  }

  /** Also ends a statement that is under way: nobody knows what became of it. */
  async close(): Promise<void> {
    this.#alive = false
    await this.#client.end().catch(() => undefined)
  }

  async #run(config: { text: string; values?: unknown[]; name?: string }): Promise<SqlAnswer> {
    if (!this.#alive) throw new SqlFailure('the connection has ended', { answered: true, sqlState: '08003' })
    this.#warned = false
    // The server gives up by itself; where it has gone silent, or waits for a standby, we do.
    const timer = this.#clock.after(this.#answerMs * 2, () => void this.close(), { keepAlive: true })
    try {
      const { rows } = await this.#client.query({ ...config, types: AS_TEXT } as pg.QueryConfig)
      return { rows: rows as SqlRow[], warned: this.#warned }
    } catch (error) {
      const sqlState = sqlStateOf(error)
      // Where the server ends the connection, it may do so after a commit.
      const answered = sqlState !== undefined && !sqlState.startsWith('57P') && !sqlState.startsWith('08')
      if (!answered) void this.close()
      throw new SqlFailure(messageOf(error), { answered, sqlState, cause: error })
    } finally {
      timer.cancel()
    }
  }
}

function parameter(value: SqlValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return typeof value === 'bigint' ? String(value) : value
}

function sqlStateOf(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && error instanceof pg.DatabaseError ? code : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
