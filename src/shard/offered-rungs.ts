/**
 * What of durability the journal of a shard offers. A rung it does not have is refused before anything is applied; where
 * `synced` is not offered, the shard itself goes on at `written`, which is all that its writers were promised.
 */

import type { Durability, Journal, JournalSupport } from '../journal/journal.ts'
import { unsupported } from '../journal/append-check.ts'
import type { VarveError } from '../kernel/errors.ts'

export class OfferedRungs {
  readonly #offered: readonly Durability[]

  constructor({ durability }: JournalSupport) {
    this.#offered = durability
  }

  /** UNSUPPORTED; undefined: it is offered. */
  refusal(durability: Durability): VarveError | undefined {
    return this.#offered.includes(durability) ? undefined : unsupported(durability)
  }

  /** Makes what is written in `journal` as safe as it can be, before files take its place. */
  async secure(journal: Journal): Promise<void> {
    if (this.#offered.includes('synced')) await journal.sync()
  }
}
