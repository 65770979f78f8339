/**
 * Journals in a PostgreSQL database: rows for the batches, and one row for each shard that says who may append, and where.
 *
 * An append is one statement: it moves the end of the log in the shard's row, where epoch, owner and end are as they should
 * be, and inserts the batches. The server lets one after the other change that row, so once an opening with a higher epoch
 * has changed it, no append of a lower one is committed. `written` is a commit that the server has in memory, `synced` one
 * that is on its disk, and on those of its synchronous standbys.
 */

import type { Clock } from '../../kernel/clock.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { Epoch, JournalPosition, ShardId } from '../../kernel/ids.ts'
import { MIB } from '../../kernel/limits.ts'
import { nonce } from '../../kernel/random.ts'
import type { Random } from '../../kernel/random.ts'
import type { PostgresDatabase } from '../../postgres/postgres-database.ts'
import { fenced } from '../fence.ts'
import type {
  Durability,
  Journal,
  JournalReader,
  JournalStateKeeper,
  JournalSupport,
  JournalSystem,
} from '../journal.ts'
import type { JournalTable, LogState } from './journal-table.ts'
import { PostgresJournal } from './postgres-journal.ts'
import { PostgresJournalReader } from './postgres-journal-reader.ts'
import { PostgresJournalTable } from './postgres-journal-table.ts'
import { decodeRowJournalState, encodeRowJournalState } from './row-journal-state.ts'
import { damagedRow } from './row-codec.ts'

/** What journals in a database are made of. */
export interface PostgresJournalOptions {
  /** Stays the caller's. */
  readonly database: PostgresDatabase
  /** Checksums of rows. */
  readonly hash: Hash
  /** Makes the names of owners. */
  readonly random: Random
  /**
   * Bytes appended and not written above which callers should wait; at least 1. Default POSTGRES_JOURNAL_PENDING_BYTES.
   */
  readonly pendingBytesMax?: number
}

/** Two statements' worth: one under way and one to follow. */
export const POSTGRES_JOURNAL_PENDING_BYTES = 8 * MIB

/** What a journal system stands on: the tables, and what the server promises. */
export interface PostgresJournalParts {
  readonly table: JournalTable
  readonly hash: Hash
  readonly random: Random
  readonly clock: Clock
  readonly awayMs: number
  readonly pendingBytesMax: number
  /** Of the server, as it is configured now. */
  readonly durability: () => Promise<readonly Durability[]>
}

const START: Omit<LogState, 'epoch' | 'owner'> = { start: 0, end: 0 }

/** Journals in tables. Nothing of it has to be closed but the journals. */
export class PostgresJournalSystem implements JournalSystem {
  readonly name = 'postgres'
  readonly version = 1
  readonly supports: JournalSupport
  readonly #parts: PostgresJournalParts

  /** Use `connect`. */
  constructor(parts: PostgresJournalParts, durability: readonly Durability[]) {
    this.#parts = parts
    this.supports = Object.freeze({ durability: Object.freeze([...durability]), read: true })
  }

  /**
   * Makes the tables where they are missing, and asks what the server promises: without `fsync` or `full_page_writes`, or
   * with a standby, it offers no `synced`.
   *
   * @throws {VarveError} IO_FAILED, PERMISSION_DENIED, INCOMPATIBLE
   */
  static async connect(options: PostgresJournalOptions): Promise<PostgresJournalSystem> {
    const { database, hash, random, pendingBytesMax = POSTGRES_JOURNAL_PENDING_BYTES } = options
    if (!(pendingBytesMax >= 1)) throw new RangeError(`pendingBytesMax must be at least 1, got ${pendingBytesMax}`)
    const table = await PostgresJournalTable.open(database)
    const durability = (): Promise<readonly Durability[]> => table.durability()
    const { clock } = database
    const { awayMs } = database.settings
    return new PostgresJournalSystem(
      { table, hash, random, clock, awayMs, pendingBytesMax, durability },
      await durability(),
    )
  }

  async open(shard: ShardId, epoch: Epoch, keeper: JournalStateKeeper, needed?: JournalPosition): Promise<Journal> {
    const { random, ...parts } = this.#parts
    await this.#checkDurability()
    const owner = nonce(random)
    const state = await parts.table.claim(shard, epoch, owner)
    if (state.epoch !== epoch || state.owner !== owner) throw fenced(state.epoch)
    checkState(shard, state, keeper.state, needed)
    await this.#checkEnd(shard, state)
    await keeper.commit(encodeRowJournalState({ epoch, end: state.end }, shard))
    return new PostgresJournal({ ...parts, shard, epoch, owner, supports: this.supports }, state)
  }

  async openReadOnly(shard: ShardId, state: Uint8Array | undefined, needed?: JournalPosition): Promise<JournalReader> {
    const { table, hash } = this.#parts
    const found = (await table.look(shard)) ?? START
    checkState(shard, found, state, needed)
    await this.#checkEnd(shard, found)
    return new PostgresJournalReader({ table, hash, shard }, found)
  }

  /**
   * Rows come with the end that they move. Where there are some behind it, one of both was set back, and believing the end
   * would lose them.
   *
   * @throws {VarveError} JOURNAL_CORRUPT
   */
  async #checkEnd(shard: ShardId, { end }: Pick<LogState, 'end'>): Promise<void> {
    const { table } = this.#parts
    const rowsEnd = (await table.rowsEnd(shard)) ?? 0
    // Appended since: by the owner, where this one only reads.
    if (rowsEnd <= end || ((await table.look(shard)) ?? START).end !== end) return
    const found = `there are rows up to ${rowsEnd}, behind where the log ends`
    throw damagedRow(shard, end, `${found}: one table was set back; put journal and journal_row back together`)
  }

  /** Settings of a server change while it runs. @throws {VarveError} UNSUPPORTED */
  async #checkDurability(): Promise<void> {
    const offered = await this.#parts.durability()
    for (const durability of this.supports.durability) {
      if (offered.includes(durability)) continue
      throw new VarveError('UNSUPPORTED', `PostgreSQL runs without fsync or full_page_writes now: no ${durability}`, {
        details: { capability: durability },
      })
    }
  }
}

/** @throws {VarveError} JOURNAL_CORRUPT — the log is shorter than it was, or begins too late */
function checkState(
  shard: ShardId,
  { start, end }: Pick<LogState, 'start' | 'end'>,
  state: Uint8Array | undefined,
  needed: JournalPosition | undefined,
): void {
  const before = state === undefined ? 0 : decodeRowJournalState(state, shard).end
  const reached = Math.max(before, needed ?? 0)
  if (end < reached) throw damagedRow(shard, end, `the log ended at ${reached} or later: the database was set back`)
  if (needed !== undefined && start > needed) throw damagedRow(shard, needed, `the log begins at ${start}`)
}
