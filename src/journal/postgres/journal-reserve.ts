/**
 * Room that is kept for vacuum. Where a tablespace is full, vacuum cannot free the rows that were deleted: it wants pages
 * for its maps of the table first. So a table of rows that nobody needs is emptied then, vacuum runs, and it is filled again.
 *
 * Meanwhile the rows of all shards are locked, or somebody's append would take the room, and there were none for ever.
 */

import type { Clock } from '../../kernel/clock.ts'
import { SqlFailure } from '../../postgres/sql.ts'
import type { Sql, SqlSession } from '../../postgres/sql.ts'

// A table in which a page holds two dozen rows: 1.5 MiB. Vacuum wants one page for 256 MiB of rows, and some for each index.
const ROWS_MAX = 4_096
const ROWS_MIN = 64
// From a refusal to the vacuum: whoever was refused deletes meanwhile.
const PAUSE_MS = 1_000
// Others append again though this process has gone to sleep.
const LOCK_LIMITS = `SET LOCAL lock_timeout = '5s'; SET LOCAL idle_in_transaction_session_timeout = '60s'`

/** A database in which statements take their time. */
export interface ReserveDatabase extends Sql {
  readonly clock: Clock
  table(name: string): string
  alone(use: (session: SqlSession) => Promise<void>): Promise<void>
}

export class JournalReserve {
  readonly #database: ReserveDatabase
  readonly #journal: string
  readonly #reserve: string
  readonly #row: string
  #wanted = false
  #making = false

  constructor(database: ReserveDatabase) {
    this.#database = database
    this.#journal = database.table('journal')
    this.#reserve = database.table('journal_reserve')
    this.#row = database.table('journal_row')
  }

  /** Vacuum has the room that there is: an append would wait for it. */
  get making(): boolean {
    return this.#making
  }

  /** An append was refused for want of room: makes some soon, and once for many. */
  refused(): void {
    if (this.#wanted) return
    this.#wanted = true
    this.#database.clock.after(PAUSE_MS, () => void this.#make())
  }

  /** Fills it where it is empty, with what there is room for. Some may not, or have no such table: they do without. */
  fill(): Promise<void> {
    return this.#fill(this.#database)
  }

  async #make(): Promise<void> {
    this.#making = true
    try {
      await this.#database.alone((lock) => this.#database.alone((work) => this.#vacuum(lock, work)))
    } catch {
      // Whoever is refused next asks again.
    } finally {
      this.#making = false
      this.#wanted = false
    }
  }

  /** @param lock a session that is ended, which ends the lock */
  async #vacuum(lock: SqlSession, work: SqlSession): Promise<void> {
    await lock.script(`BEGIN; ${LOCK_LIMITS}; LOCK TABLE ${this.#journal} IN SHARE ROW EXCLUSIVE MODE`)
    await attempt(work, `TRUNCATE ${this.#reserve}`)
    await attempt(work, `VACUUM ${this.#row}`)
    await this.#fill(work)
  }

  async #fill(sql: Sql): Promise<void> {
    const isEmpty = `NOT EXISTS (SELECT FROM ${this.#reserve})`
    for (let rows = ROWS_MAX; rows >= ROWS_MIN; rows /= 2) {
      const filler = `SELECT n FROM generate_series(1, ${rows}) AS n WHERE ${isEmpty}`
      if (await attempt(sql, `INSERT INTO ${this.#reserve} (filler) ${filler}`)) return
      // The pages that it had before it was refused.
      if (!(await attempt(sql, `TRUNCATE ${this.#reserve}`))) return
    }
  }
}

/** False: it was refused. */
async function attempt(sql: Sql, text: string): Promise<boolean> {
  try {
    await sql.query({ name: '', text }, [])
    return true
  } catch {
    return false
  }
}

/** For an append that would wait for vacuum. */
export function keptForVacuum(): SqlFailure {
  return new SqlFailure('what room there is, vacuum has now', { answered: true, sqlState: '53100' })
}
