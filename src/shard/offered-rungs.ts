/**
 * What of durability the journal of a shard offers. A rung it does not have is refused before anything is applied; where
 * `synced` is not offered, the shard itself goes on at `written`, which is all that its writers were promised.
 */

import type { Durability, Journal, JournalSupport } from '../journal/journal.ts'
import { unsupported } from '../journal/append-check.ts'
import type { VarveError } from '../kernel/errors.ts'

export class OfferedRungs {
  readonly #offered: readonly Durability[]
  readonly #opensAtNeeded: boolean

  constructor({ durability, opensAtNeeded = false }: JournalSupport) {
    this.#offered = durability
    this.#opensAtNeeded = opensAtNeeded
  }

  /** UNSUPPORTED; undefined: it is offered. */
  refusal(durability: Durability): VarveError | undefined {
    return this.#offered.includes(durability) ? undefined : unsupported(durability)
  }

  /**
   * What files are about to take the place of: where it could be lost with the journal going on before them, it is made as
   * safe as it can be (docs/decisions/0020-flush-without-sync.md).
   */
  async secureReplaced(journal: Journal): Promise<void> {
    if (!this.#opensAtNeeded) await this.secure(journal)
  }

  /** Makes what is written in `journal` as safe as it can be. */
  async secure(journal: Journal): Promise<void> {
    if (this.#offered.includes('synced')) await journal.sync()
  }
}
