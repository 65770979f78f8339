/** Journals of one directory that has a reserve: whatever gives space back can be written when the disk is full. */

import type { Epoch, JournalPosition, ShardId } from '../kernel/ids.ts'
import type { JournalSpace } from './journal-space.ts'
import type { Journal, JournalReader, JournalStateKeeper, JournalSupport, JournalSystem } from './journal.ts'
import { ReservedJournal } from './reserved-journal.ts'

export class ReservedJournals implements JournalSystem {
  readonly #journals: JournalSystem
  readonly #space: JournalSpace

  /** @param journals all of them on the disk that `space` is about */
  constructor(journals: JournalSystem, space: JournalSpace) {
    this.#journals = journals
    this.#space = space
  }

  get name(): string {
    return this.#journals.name
  }

  get version(): number {
    return this.#journals.version
  }

  get supports(): JournalSupport {
    return this.#journals.supports
  }

  async open(shard: ShardId, epoch: Epoch, state: JournalStateKeeper, needed?: JournalPosition): Promise<Journal> {
    const journal = await this.#space.attempt(() => this.#journals.open(shard, epoch, state, needed))
    return new ReservedJournal(journal, this.#space)
  }

  openReadOnly(shard: ShardId, state: Uint8Array | undefined, needed?: JournalPosition): Promise<JournalReader> {
    return this.#journals.openReadOnly(shard, state, needed)
  }
}
