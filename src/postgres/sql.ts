/** What the parts of varve on PostgreSQL need of it: prepared statements, answers as text, and what became of a failure. */

/** Prepared once on each connection, under its name. */
export interface SqlStatement {
  /** One name, one text, ever; empty: it is not prepared. */
  readonly name: string
  /** SQL, with `$1` and so on for the values. */
  readonly text: string
}

/** What is given for a `$1`. An array stands for one of PostgreSQL's. */
export type SqlValue = string | number | bigint | boolean | Uint8Array | null | readonly (string | number | bigint)[]

/** A row as the server writes it, in text: read it with `sql-row.ts`. */
export type SqlRow = Readonly<Record<string, string | null>>

/** What the server says to one statement. */
export interface SqlAnswer {
  /** In the order that the server sent them. */
  readonly rows: readonly SqlRow[]
  /**
   * The server warned of something. After a commit: it is here, but standbys that were to confirm it may not have it
   * (somebody cancelled the wait for them).
   */
  readonly warned: boolean
}

/** Who answers one statement. */
export interface Sql {
  /**
   * Runs one statement in a transaction of its own, once.
   *
   * @throws {SqlFailure}
   */
  query(statement: SqlStatement, values: readonly SqlValue[]): Promise<SqlAnswer>
}

/** One connection, for statements that belong together. */
export interface SqlSession extends Sql {
  /** Several statements without values. What they begin stays begun. @throws {SqlFailure} */
  script(text: string): Promise<void>
}

/** What became of the statement. */
export interface SqlFailureOptions {
  /** As `SqlFailure.answered`. */
  readonly answered: boolean
  /** As `SqlFailure.sqlState`. */
  readonly sqlState?: string | undefined
  /** As `SqlFailure.connectingMs`. */
  readonly connectingMs?: number
  /** What the client package said. */
  readonly cause?: unknown
}

/** A statement that failed. */
export class SqlFailure extends Error {
  /** The server said so, and nothing of the statement was done. Otherwise it may have been done, or may yet be. */
  readonly answered: boolean
  /** Five characters, of PostgreSQL's appendix A; undefined where nobody answered. */
  readonly sqlState: string | undefined
  /** There was no connection, and so long it took to find that out, in milliseconds. */
  readonly connectingMs: number | undefined

  /** @param message for people */
  constructor(message: string, options: SqlFailureOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'SqlFailure'
    this.answered = options.answered
    this.sqlState = options.sqlState
    this.connectingMs = options.connectingMs
  }
}
