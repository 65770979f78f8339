/**
 * One connection to a PostgreSQL server, set up the way varve's statements need it, by way of `pg`.
 *
 * Every value is taken as text: which types a column has is known here better than there, and 64-bit integers stay whole.
 */

import pg from 'pg'
import type { Clock } from '../kernel/clock.ts'
import { clientOf, placeOf } from './postgres-address.ts'
import type { PostgresAddress } from './postgres-address.ts'
import { SqlFailure } from './sql.ts'
import type { SqlSession, SqlAnswer, SqlRow, SqlStatement, SqlValue } from './sql.ts'

export interface PostgresConnectionOptions {
  readonly address: PostgresAddress
  readonly clock: Clock
  /** How long it may take to be made, in milliseconds. */
  readonly connectMs: number
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

export class PostgresConnection implements SqlSession {
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
    const { address, answerMs, connectMs, clock } = options
    const client = clientOf(address, {
      keepAlive: true,
      connectionTimeoutMillis: connectMs,
      application_name: 'varve',
    })
    const place = placeOf(client)
    const sinceMs = clock.monotonic()
    const connection = new PostgresConnection(client, options)
    try {
      await client.connect()
    } catch (error) {
      connection.#alive = false
      // Nothing was sent.
      throw new SqlFailure(`no connection to ${place}: ${connectReason(error, connectMs)}`, {
        answered: true,
        sqlState: sqlStateOf(error) ?? stateOfLasting(error),
        connectingMs: clock.monotonic() - sinceMs,
        cause: error,
      })
    }
    // A server that has stopped still takes connections for a while.
    const timer = clock.after(connectMs, () => void connection.close(), { keepAlive: true })
    try {
      await connection.query({ name: '', text: SETTINGS }, [String(answerMs)])
      return connection
    } catch (error) {
      await connection.close()
      throw error instanceof SqlFailure && !error.answered
        ? new SqlFailure(`no connection to ${place}: ${error.message}`, {
            answered: true,
            sqlState: '08006',
            connectingMs: clock.monotonic() - sinceMs,
            cause: error,
          })
        : error
    } finally {
      timer.cancel()
    }
  }

  get alive(): boolean {
    return this.#alive
  }

  async query({ name, text }: SqlStatement, values: readonly SqlValue[]): Promise<SqlAnswer> {
    const { rows, warned } = await this.#run({ text, values: values.map(parameter), ...(name === '' ? {} : { name }) })
    return { rows, warned }
  }

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

/** What no other try would change, of failures that are not the server's: a password that is missing, its certificate. */
function stateOfLasting(error: unknown): string | undefined {
  const code = (error as { readonly code?: unknown } | undefined)?.code
  if (/^SASL|password must be a string/i.test(messageOf(error))) return '28000'
  if (typeof code === 'string' && /CERT|ERR_TLS|ERR_SSL/.test(code)) return undefined
  if (/does not support SSL/.test(messageOf(error))) return undefined
  return '08001'
}

/** In more words, where those of the client are few. */
function connectReason(error: unknown, connectMs: number): string {
  const reason = messageOf(error)
  if (reason === 'timeout expired') return `nobody answered within ${connectMs} ms (connectMs)`
  if (/^SASL.*password must be a string/.test(reason)) return 'the server asks for a password, and there is none'
  if (/does not support SSL/.test(reason)) return 'the server does not encrypt, and ssl asks for it'
  return reason
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
