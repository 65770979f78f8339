/** The seqnos that snapshots and long reads hold: flushes and compactions keep what they see. */

import { assert } from '../kernel/assert.ts'
import type { Seqno } from '../kernel/ids.ts'

export class PinnedSeqnos {
  readonly #counts = new Map<Seqno, number>()

  pin(seqno: Seqno): void {
    this.#counts.set(seqno, (this.#counts.get(seqno) ?? 0) + 1)
  }

  unpin(seqno: Seqno): void {
    const count = this.#counts.get(seqno)
    assert(count !== undefined, 'seqno unpinned more often than pinned')
    if (count > 1) this.#counts.set(seqno, count - 1)
    else this.#counts.delete(seqno)
  }

  /** Ascending, each once. */
  list(): readonly Seqno[] {
    return [...this.#counts.keys()].sort((a, b) => a - b)
  }
}
