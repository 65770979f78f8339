/**
 * A PostgreSQL database as varve's journal, heads and jobs share it: a few connections, opened when they are needed.
 *
 * Statements are transactions of their own, so nobody keeps a connection for longer than one answer takes. Connections
 * must be the server's own, or of a pooler that gives a session each: settings and prepared statements are the session's.
 */

import type { Clock, Timer } from '../kernel/clock.ts'
import { VarveError, throwIfAborted } from '../kernel/errors.ts'
import { checkAddress } from './postgres-address.ts'
import type { PostgresAddress } from './postgres-address.ts'
import { PostgresConnection } from './postgres-connection.ts'
import { NotificationListener } from './notification-listener.ts'
import { resolvePostgresSettings } from './settings.ts'
import type { PostgresSettings } from './settings.ts'
import { RetryPauses, passes, storageError } from './sql-retry.ts'
import { flagOf } from './sql-row.ts'
import { ensureTables, quoted } from './sql-tables.ts'
import type { SqlTables } from './sql-tables.ts'
import { SqlFailure } from './sql.ts'
import type { Sql, SqlAnswer, SqlSession, SqlStatement, SqlValue } from './sql.ts'

/** Where the database is, and how patiently it is asked. */
export interface PostgresDatabaseOptions {
  /** Where the server is, and as whom. */
  readonly address: PostgresAddress
  /** Measures patience and silence. */
  readonly clock: Clock
  /** Default, each: that of `POSTGRES_DEFAULTS`. */
  readonly settings?: Partial<PostgresSettings>
}

const DURABLE: SqlStatement = {
  name: '',
  text: `SELECT current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on'
    AND NOT pg_is_in_recovery() AS durable`,
}

interface Idle {
  readonly connection: PostgresConnection
  readonly expiry: Timer
}

/** Connections to one database, which several parts may share; whoever made it closes it after them. */
export class PostgresDatabase implements Sql {
  /** As they are in force, complete. */
  readonly settings: PostgresSettings
  /** As given. */
  readonly clock: Clock
  readonly #address: PostgresAddress
  readonly #idle: Idle[] = []
  readonly #busy = new Set<PostgresConnection>()
  readonly #waiting: (() => void)[] = []
  readonly #listener: NotificationListener
  /** Open, or being opened. */
  #count = 0
  #closed = false

  /** @throws {TypeError | RangeError} an address or a setting that cannot be */
  constructor({ address, clock, settings }: PostgresDatabaseOptions) {
    this.settings = resolvePostgresSettings(settings)
    this.clock = clock
    this.#address = checkAddress(address)
    this.#listener = new NotificationListener(clock, (onNotification, onEnd) => this.#connect(onNotification, onEnd))
  }

  /** Where the tables are: `PostgresSettings.schema`. */
  get schema(): string {
    return this.settings.schema
  }

  /** Whether tables may be made: `PostgresSettings.create`. */
  get create(): boolean {
    return this.settings.create
  }

  /** The quoted name of one of our tables. */
  table(name: string): string {
    return `${quoted(this.schema)}.${quoted(name)}`
  }

  query(statement: SqlStatement, values: readonly SqlValue[]): Promise<SqlAnswer> {
    return this.#with((connection) => connection.query(statement, values))
  }

  /**
   * Runs a statement that may be run again, until it is answered, for as long as the server may be away.
   *
   * @throws {VarveError} IO_FAILED, NO_SPACE, PERMISSION_DENIED, INCOMPATIBLE, ABORTED, CLOSED
   */
  repeat(statement: SqlStatement, values: readonly SqlValue[], signal?: AbortSignal): Promise<SqlAnswer> {
    return this.#repeat(() => this.query(statement, values), statement.name || 'query', signal)
  }

  /** Several statements without values, in one transaction, which may be made again. Errors as `repeat`. */
  async script(text: string): Promise<void> {
    await this.#repeat(() => this.#with((connection) => connection.script(text)), 'make tables', undefined)
  }

  /**
   * Whether a commit is on the server's disk when it is answered, as the server is configured now: `fsync` and
   * `full_page_writes` are on, and it is no standby. Errors as `repeat`.
   */
  async commitsAreDurable(): Promise<boolean> {
    const { rows } = await this.repeat(DURABLE, [])
    return rows[0] !== undefined && flagOf(rows[0], 'durable')
  }

  /** Has a connection made for `use`, beside all others, and ended behind it. @throws {SqlFailure} */
  async alone(use: (session: SqlSession) => Promise<void>): Promise<void> {
    const connection = await this.#connect()
    this.#busy.add(connection)
    try {
      if (this.#closed) throw new VarveError('CLOSED', 'the database is closed')
      await use(connection)
    } finally {
      this.#busy.delete(connection)
      await connection.close()
    }
  }

  /** Makes tables where they are missing. Errors as `repeat`. */
  ensure(tables: SqlTables): Promise<void> {
    return ensureTables(this, tables)
  }

  /**
   * Calls `notified` when somebody has notified `channel`, and whenever that may have been missed.
   *
   * @returns ends it
   */
  listen(channel: string, notified: () => void): () => void {
    return this.#listener.listen(channel, notified)
  }

  /** Ends all connections; who uses them has been closed before. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    for (const wake of this.#waiting.splice(0)) wake()
    const idle = this.#idle.splice(0)
    for (const { expiry } of idle) expiry.cancel()
    await this.#listener.close()
    await Promise.all([...idle.map(({ connection }) => connection), ...this.#busy].map((each) => each.close()))
  }

  async #repeat<T>(attempt: () => Promise<T>, operation: string, signal: AbortSignal | undefined): Promise<T> {
    const pauses = new RetryPauses(this.clock, this.settings.awayMs)
    for (;;) {
      throwIfAborted(signal)
      try {
        return await attempt()
      } catch (error) {
        const again = error instanceof SqlFailure && passes(error)
        if (!again || this.#closed || !(await pauses.pause(error))) throw storageError(error, operation)
      }
    }
  }

  async #with<T>(use: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const connection = await this.#take()
    this.#busy.add(connection)
    try {
      return await use(connection)
    } finally {
      this.#busy.delete(connection)
      this.#give(connection)
    }
  }

  async #take(): Promise<PostgresConnection> {
    for (;;) {
      if (this.#closed) throw new VarveError('CLOSED', 'the database is closed')
      const idle = this.#idle.pop()
      if (idle !== undefined) {
        idle.expiry.cancel()
        if (idle.connection.alive) return idle.connection
        this.#count--
      } else if (this.#count < this.settings.connectionsMax) {
        this.#count++
        try {
          return await this.#connect()
        } catch (error) {
          this.#count--
          this.#waiting.shift()?.()
          throw error
        }
      } else {
        await new Promise<void>((resolve) => this.#waiting.push(resolve))
      }
    }
  }

  #give(connection: PostgresConnection): void {
    if (!connection.alive || this.#closed) {
      this.#count--
      void connection.close()
      // Of a server that has gone, or silent, as it seems: each would be waited for until it is found out.
      for (const idle of this.#idle.splice(0)) {
        this.#count--
        idle.expiry.cancel()
        void idle.connection.close()
      }
    } else {
      const expiry = this.clock.after(this.settings.idleMs, () => {
        this.#idle.splice(this.#idle.indexOf(idle), 1)
        this.#count--
        void connection.close()
      })
      const idle = { connection, expiry }
      this.#idle.push(idle)
    }
    this.#waiting.shift()?.()
  }

  #connect(onNotification?: (channel: string) => void, onEnd?: () => void): Promise<PostgresConnection> {
    const { clock } = this
    const { answerMs, connectMs } = this.settings
    return PostgresConnection.open({
      address: this.#address,
      clock,
      answerMs,
      connectMs,
      ...(onNotification === undefined ? {} : { onNotification }),
      ...(onEnd === undefined ? {} : { onEnd }),
    })
  }
}
