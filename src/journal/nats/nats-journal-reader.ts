/** A journal on JetStream that is only read: what there was when it was opened. */

import { VarveError } from '../../kernel/errors.ts'
import type { JournalPosition } from '../../kernel/ids.ts'
import type { JournalReader } from '../journal.ts'
import { journalCorrupt } from '../journal-corrupt.ts'
import type { LogPiece, ShardLog, Visit } from './shard-log.ts'

export interface LogRange extends LogPiece {
  /** Position of the oldest batch. */
  readonly start: number
}

export class NatsJournalReader implements JournalReader {
  readonly #log: ShardLog
  readonly #range: LogRange
  #closed = false

  constructor(log: ShardLog, range: LogRange) {
    this.#log = log
    this.#range = range
  }

  get start(): JournalPosition {
    return this.#range.start as JournalPosition
  }

  async replay(from: JournalPosition, visit: Visit, again?: () => void): Promise<JournalPosition> {
    if (this.#closed) throw new VarveError('CLOSED', 'the reader is closed')
    const { start, end, last } = this.#range
    if (from < start || from > end) throw journalCorrupt(this.#log.stream, from, `it is there from ${start} to ${end}`)
    if (last > 0) await this.#log.replay(this.#range, from, visit, again === undefined ? {} : { again })
    return end as JournalPosition
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }
}
