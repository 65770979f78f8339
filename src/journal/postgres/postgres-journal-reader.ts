/** A journal in PostgreSQL, read without owning it, up to where it ended when it was opened. */

import { VarveError } from '../../kernel/errors.ts'
import type { JournalPosition } from '../../kernel/ids.ts'
import type { JournalReader } from '../journal.ts'
import { replayRows } from './row-replay.ts'
import type { RowLog, RowRange } from './row-replay.ts'

export class PostgresJournalReader implements JournalReader {
  readonly #log: RowLog
  readonly #range: RowRange
  #closed = false

  constructor(log: RowLog, range: RowRange) {
    this.#log = log
    this.#range = range
  }

  get start(): JournalPosition {
    return this.#range.start as JournalPosition
  }

  async replay(
    from: JournalPosition,
    visit: (payload: Uint8Array, position: JournalPosition) => void,
  ): Promise<JournalPosition> {
    if (this.#closed) throw new VarveError('CLOSED', 'the reader is closed')
    return replayRows(this.#log, this.#range, from, visit)
  }

  async close(): Promise<void> {
    this.#closed = true
  }
}
