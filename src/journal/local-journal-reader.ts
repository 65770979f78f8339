/** Replay without ownership, for read-only opens and tools. */

import { VarveError } from '../kernel/errors.ts'
import type { JournalPosition } from '../kernel/ids.ts'
import type { JournalReader } from './journal.ts'
import type { SegmentChain } from './segment-chain.ts'

export class LocalJournalReader implements JournalReader {
  readonly #chain: SegmentChain
  #closed = false

  constructor(chain: SegmentChain) {
    this.#chain = chain
  }

  get start(): JournalPosition {
    return this.#chain.start as JournalPosition
  }

  async replay(
    from: JournalPosition,
    visit: (payload: Uint8Array, position: JournalPosition) => void,
  ): Promise<JournalPosition> {
    if (this.#closed) throw new VarveError('CLOSED', 'the journal is closed')
    return (await this.#chain.replay(from, visit as (payload: Uint8Array, position: number) => void)) as JournalPosition
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#chain.close()
  }
}
