/**
 * Room that is kept for vacuum. Where a tablespace is full, vacuum cannot free the rows that were deleted: it wants pages
 * for its maps of the table first. So a table of rows that nobody needs is emptied then, vacuum runs, and it is filled again.
 */

import type { Clock } from '../../kernel/clock.ts'
import { SqlFailure } from '../../postgres/sql.ts'
import type { Sql, SqlStatement } from '../../postgres/sql.ts'

// A table in which a page holds two dozen rows: 1.5 MiB. Vacuum wants one page for 256 MiB of rows, and some for each index.
const ROWS = 4_096
// From a refusal to the vacuum: whoever was refused deletes meanwhile.
const PAUSE_MS = 1_000

/** A database in which statements take their time. */
export interface ReserveDatabase extends Sql {
  readonly clock: Clock
  table(name: string): string
}

export class JournalReserve {
  readonly #database: ReserveDatabase
  readonly #reserve: string
  readonly #row: string
  #wanted = false
  #making = false

  constructor(database: ReserveDatabase) {
    this.#database = database
    this.#reserve = database.table('journal_reserve')
    this.#row = database.table('journal_row')
  }

  /** Vacuum has the room that there is: an append would take it. */
  get making(): boolean {
    return this.#making
  }

  /** An append was refused for want of room: makes some soon, and once for many. */
  refused(): void {
    if (this.#wanted) return
    this.#wanted = true
    this.#database.clock.after(PAUSE_MS, () => void this.#make())
  }

  /** Fills it where it is empty and there is room. Some may not, or have no such table: they do without. */
  async fill(): Promise<void> {
    const rows = `SELECT n FROM generate_series(1, ${ROWS}) AS n WHERE NOT EXISTS (SELECT FROM ${this.#reserve})`
    // Pages that it had before it was refused would be kept.
    if ((await this.#try(`INSERT INTO ${this.#reserve} (filler) ${rows}`)) === 'refused') await this.#empty()
  }

  async #make(): Promise<void> {
    this.#making = true
    try {
      await this.#empty()
      // Where somebody else is at it, or it is not for us to do, the room is theirs.
      if ((await this.#try(`VACUUM (SKIP_LOCKED) ${this.#row}`)) === 'done') await this.fill()
    } finally {
      this.#making = false
      this.#wanted = false
    }
  }

  async #empty(): Promise<void> {
    await this.#try(`TRUNCATE ${this.#reserve}`)
  }

  async #try(text: string): Promise<'done' | 'warned' | 'refused'> {
    const statement: SqlStatement = { name: '', text }
    try {
      return (await this.#database.query(statement, [])).warned ? 'warned' : 'done'
    } catch {
      return 'refused'
    }
  }
}

/** For an append that would take the room of vacuum. */
export function keptForVacuum(): SqlFailure {
  return new SqlFailure('what room there is, vacuum has now', { answered: true, sqlState: '53100' })
}
