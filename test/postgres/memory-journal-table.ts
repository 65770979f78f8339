/**
 * The journal's tables in memory, behind a server that loses answers, commits late, runs full and crashes: what the writer
 * does then is its own logic, and is tested here without a server. That the statements do what this does, the conformance
 * suite shows on a real one.
 */

import type { ShardId } from '../../src/kernel/ids.ts'
import type {
  JournalRow,
  JournalTable,
  LogState,
  RowAppend,
  RowOutcome,
} from '../../src/journal/postgres/journal-table.ts'
import { SqlFailure } from '../../src/postgres/sql.ts'

/** What becomes of an append: `late` is done when the next one comes, after its client has given up. */
export type AppendFate =
  | 'answered'
  | 'lost-before'
  | 'lost-after'
  | 'late'
  | 'unconfirmed'
  | 'refused-full'
  | 'refused-busy'
  | 'refused-login'
  | 'away'

interface Log extends LogState {
  readonly rows: readonly JournalRow[]
}

export class MemoryJournalTable implements JournalTable {
  fate: () => AppendFate = () => 'answered'
  /** Appends that were done, in order. */
  readonly done: RowAppend[] = []
  readonly #logs = new Map<ShardId, Log>()
  /** What survives a crash. */
  #durable = new Map<ShardId, Log>()
  #late: RowAppend[] = []

  claim(shard: ShardId, epoch: number, owner: string): Promise<LogState> {
    const log = this.#logs.get(shard) ?? { epoch: 0, owner: '', start: 0, end: 0, rows: [] }
    if (log.epoch > epoch) return Promise.resolve(log)
    const claimed = { ...log, epoch, owner }
    this.#logs.set(shard, claimed)
    this.#persist()
    return Promise.resolve(claimed)
  }

  look(shard: ShardId): Promise<LogState | undefined> {
    return Promise.resolve(this.#logs.get(shard))
  }

  async append(append: RowAppend): Promise<RowOutcome> {
    const fate = this.fate()
    // Another connection's statement, which this one waits for.
    for (const late of this.#late.splice(0)) this.#do(late)
    if (fate === 'refused-full') throw new SqlFailure('disk full', { answered: true, sqlState: '53100' })
    if (fate === 'refused-busy') throw new SqlFailure('too many clients', { answered: true, sqlState: '53300' })
    if (fate === 'refused-login') throw new SqlFailure('no such login', { answered: true, sqlState: '28000' })
    if (fate === 'away') throw new SqlFailure('no connection', { answered: true, sqlState: '08001', connectingMs: 1 })
    if (fate === 'late') this.#late.push(append)
    const outcome = fate === 'lost-before' || fate === 'late' ? undefined : this.#do(append)
    if (fate === 'unconfirmed' && outcome === 'done') return 'unconfirmed'
    if (outcome === undefined || fate === 'lost-after') throw new SqlFailure('connection lost', { answered: false })
    return outcome
  }

  rows(shard: ShardId, from: number, limit: number, bytesMax: number): Promise<readonly JournalRow[]> {
    const found: JournalRow[] = []
    let bytes = 0
    for (const row of this.#logs.get(shard)?.rows ?? []) {
      if (row.position + row.size <= from || row.position >= limit || bytes >= bytesMax) continue
      bytes += row.size
      found.push(row)
    }
    return Promise.resolve(found)
  }

  rowsEnd(shard: ShardId): Promise<number | undefined> {
    const last = this.#logs.get(shard)?.rows.at(-1)
    return Promise.resolve(last === undefined ? undefined : last.position + last.size)
  }

  batchStart(shard: ShardId, position: number): Promise<number | undefined> {
    const row = this.#logs.get(shard)?.rows.find((each) => each.position + each.size > position)
    return Promise.resolve(row?.batch)
  }

  moveStart(shard: ShardId, epoch: number, owner: string, start: number): Promise<boolean> {
    const log = this.#logs.get(shard)
    if (log?.epoch !== epoch || log.owner !== owner) return Promise.resolve(false)
    this.#logs.set(shard, { ...log, start })
    this.#persist()
    return Promise.resolve(true)
  }

  deleteBefore(shard: ShardId, position: number): Promise<number> {
    const log = this.#logs.get(shard)
    const gone = log?.rows.filter((row) => row.position < Math.min(position, log.start)).slice(0, 3) ?? []
    if (log !== undefined) this.#logs.set(shard, { ...log, rows: log.rows.filter((row) => !gone.includes(row)) })
    return Promise.resolve(gone.length)
  }

  /** The server's process ends and another starts: it has what was durable. */
  crash(): void {
    this.#late = []
    this.#logs.clear()
    for (const [shard, log] of this.#durable) this.#logs.set(shard, log)
  }

  /** Changes what is stored, behind everybody's back. */
  damage(shard: ShardId, change: (rows: readonly JournalRow[]) => readonly JournalRow[]): void {
    const log = this.#logs.get(shard)
    if (log !== undefined) this.#logs.set(shard, { ...log, rows: change(log.rows) })
  }

  #do(append: RowAppend): RowOutcome {
    const { shard, epoch, owner, start, end, rows, durable } = append
    const log = this.#logs.get(shard)
    if (log?.epoch !== epoch || log.owner !== owner || log.end !== start) return 'refused'
    const copies = rows.map((row) => ({ ...row, content: row.content.slice() }))
    this.#logs.set(shard, { ...log, end, rows: [...log.rows, ...copies] })
    this.done.push(append)
    if (durable) this.#persist()
    return 'done'
  }

  /** A commit that is on disk has all before it there. */
  #persist(): void {
    this.#durable = new Map(this.#logs)
  }
}
