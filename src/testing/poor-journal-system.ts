/**
 * A journal system poorer than the local one, as a remote one may be: every call begun late and answered late, though
 * acknowledgements keep their order, as the port promises; fewer rungs and no `read`, on request; and on request appends
 * whose outcome is unknown, after which a journal takes no more.
 */

import type { Epoch, JournalPosition, ShardId } from '../kernel/ids.ts'
import type {
  Durability,
  Journal,
  JournalReader,
  JournalStateKeeper,
  JournalSupport,
  JournalSystem,
} from '../journal/journal.ts'
import { LateAnswers } from './late-answers.ts'
import type { LateAnswersOptions } from './late-answers.ts'
import { PoorJournal, PoorJournalReader } from './poor-journal.ts'
import type { AppendOutcome } from './poor-journal.ts'

/** How poor it is. */
export interface PoorJournalOptions extends LateAnswersOptions {
  /** Rungs to offer. Default: those of the system below. */
  readonly durability?: readonly Durability[]
  /** `false`: offer no `read`. Default: as below. */
  readonly read?: false
  /** One append in so many fails with OUTCOME_UNKNOWN, written or not. Default: none. */
  readonly failsOnceIn?: number
}

/** A journal system over another, late and with less to offer. */
export class PoorJournalSystem implements JournalSystem {
  /** Of the system below, so that one opens what the other wrote. */
  readonly name: string
  readonly version: number
  readonly supports: JournalSupport
  readonly #inner: JournalSystem
  readonly #late: LateAnswers
  readonly #options: PoorJournalOptions

  /** @param inner has the journals */
  constructor(inner: JournalSystem, options: PoorJournalOptions) {
    this.name = inner.name
    this.version = inner.version
    const durability = options.durability ?? inner.supports.durability
    this.supports = Object.freeze({ durability, read: options.read ?? inner.supports.read })
    this.#inner = inner
    this.#late = new LateAnswers(options)
    this.#options = options
  }

  async open(shard: ShardId, epoch: Epoch, state: JournalStateKeeper, needed?: JournalPosition): Promise<Journal> {
    const journal = await this.#late.around(() => this.#inner.open(shard, epoch, state, needed))
    return new PoorJournal(journal, this.#late, this.supports, () => this.#outcome())
  }

  async openReadOnly(shard: ShardId, state: Uint8Array | undefined, needed?: JournalPosition): Promise<JournalReader> {
    const reader = await this.#late.around(() => this.#inner.openReadOnly(shard, state, needed))
    return new PoorJournalReader(reader, this.#late)
  }

  #outcome(): AppendOutcome {
    const { random, failsOnceIn } = this.#options
    if (failsOnceIn === undefined || !random.once(failsOnceIn)) return 'known'
    return random.once(2) ? 'happened' : 'not-happened'
  }
}
