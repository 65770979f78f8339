/**
 * Commits the groups of one owner, one after the other, and finds out what became of those whose answers were lost.
 *
 *      append ──► done                                       acknowledged
 *             ──► refused ──► look ──► another owner         FENCED
 *             │                    ──► the log ends after it   it was done: acknowledged
 *             │                    ──► the log ends before it  the server has lost commits: OUTCOME_UNKNOWN
 *             ├─► no answer ──► again, as it is: it says where the log has to end, so it is done once at the most
 *             └─► never sent: nobody answers, or the login is refused   PERMISSION_DENIED, IO_FAILED: nothing is there
 *
 * A commit whose answer was lost is there, but standbys need not have it. So before it is called synced, another one is
 * made, which comes after it in the server's log.
 */

import type { Clock } from '../../kernel/clock.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { Epoch, ShardId } from '../../kernel/ids.ts'
import { RetryPauses, deniesLogin, passes, storageError } from '../../postgres/sql-retry.ts'
import { SqlFailure } from '../../postgres/sql.ts'
import { outcomeUnknown, wasRefused } from '../append-check.ts'
import { fenced } from '../fence.ts'
import type { AppendGroup } from './append-group.ts'
import type { JournalRow, JournalTable, LogState } from './journal-table.ts'
import { encodeRows } from './row-codec.ts'

export interface RowOwner {
  readonly table: JournalTable
  readonly hash: Hash
  readonly clock: Clock
  readonly shard: ShardId
  readonly epoch: Epoch
  /** Names this opening. */
  readonly owner: string
  /** How long the server may be away, in milliseconds. */
  readonly awayMs: number
}

export class RowWriter {
  readonly #owner: RowOwner
  /** Everything before is committed, as far as this owner was told. */
  #end: number
  /** Where the newest synced commit of this owner has left it. */
  #syncedEnd = -1

  constructor(owner: RowOwner, end: number) {
    this.#owner = owner
    this.#end = end
  }

  get end(): number {
    return this.#end
  }

  /** A commit that was synced comes after every other one. */
  get isSynced(): boolean {
    return this.#syncedEnd === this.#end
  }

  /**
   * Commits a group.
   *
   * @throws {VarveError} FENCED; NO_SPACE, PERMISSION_DENIED, IO_FAILED — nothing of it is there; OUTCOME_UNKNOWN
   */
  async commit(group: AppendGroup): Promise<void> {
    const { hash, shard } = this.#owner
    const rows = encodeRows(hash, shard, group.position, group.batches)
    const confirmed = await this.#append(group.position, group.end, rows, group.synced !== undefined)
    this.#end = group.end
    if (group.synced === undefined) return
    if (!confirmed) await this.#confirm(group.end)
    this.#syncedEnd = group.end
  }

  /** The group is there: that this is refused does not take it back. */
  async #confirm(end: number): Promise<void> {
    try {
      await this.#append(end, end, [], true)
    } catch (error) {
      throw wasRefused(error) ? outcomeUnknown('sync', error) : error
    }
  }

  /**
   * Still the owner, of a log that has everything that was acknowledged.
   *
   * @throws {VarveError} FENCED, OUTCOME_UNKNOWN, IO_FAILED
   */
  async check(): Promise<LogState> {
    const { table, shard, epoch, owner } = this.#owner
    const expected = this.#end
    const state = await table.look(shard)
    if (state !== undefined && (state.owner !== owner || state.epoch !== epoch)) throw fenced(state.epoch)
    if (state === undefined || state.end < expected) throw lost(expected, state?.end)
    return state
  }

  /** @returns whether everything that is to confirm the commit has done so */
  async #append(start: number, end: number, rows: readonly JournalRow[], durable: boolean): Promise<boolean> {
    const { table, shard, epoch, owner, clock, awayMs } = this.#owner
    const pauses = new RetryPauses(clock, awayMs)
    let unanswered = false
    for (;;) {
      let failure: SqlFailure | undefined
      try {
        const outcome = await table.append({ shard, epoch, owner, start, end, rows, durable })
        // An empty one may be made twice: the last one counts.
        if (outcome === 'done') return true
        if (outcome === 'refused') {
          const state = await this.check()
          if (state.end === end && end > start) return false
          if (state.end !== start) throw lost(start, state.end)
        } else if (end > start) {
          return false
        }
      } catch (error) {
        if (error instanceof VarveError) throw isFinal(error) ? error : outcomeUnknown('append', error)
        if (!(error instanceof SqlFailure)) throw error
        if (!error.answered) unanswered = true
        // Whoever is let in again finds out what became of it.
        if (!passes(error) && !(unanswered && deniesLogin(error))) throw notAppended(error, unanswered)
        failure = error
      }
      if (await pauses.pause(failure)) continue
      if (failure !== undefined && !unanswered) throw notAppended(failure, false)
      throw outcomeUnknown('append', new Error(`PostgreSQL did not confirm it within ${awayMs} ms`))
    }
  }
}

/** @param unanswered something was sent before */
function notAppended(failure: SqlFailure, unanswered: boolean): unknown {
  const reason = storageError(failure, 'append')
  return wasRefused(reason) && !unanswered ? reason : outcomeUnknown('append', reason)
}

function isFinal(error: VarveError): boolean {
  return error.code === 'FENCED' || error.code === 'OUTCOME_UNKNOWN'
}

/** What was written and not synced does not survive a crash of the server. */
function lost(expected: number, found: number | undefined): VarveError {
  return outcomeUnknown(
    'append',
    new Error(`the log was to end at ${expected} and ends at ${found ?? 'nowhere'}: the server has lost commits`),
  )
}
