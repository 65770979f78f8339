/**
 * Deals the range tombstones of a job out to its outputs, which divide the keys among them.
 *
 *      outputs      │ a … f │ k … p │ s … z │
 *      tombstone      ├──────────────────┤
 *      cut at         │       k       s     │
 *      parts          ├───────┼───────┼──┤
 *
 * An output ends where the next begins, so that what lies between the last key of one and the first of the next, and
 * deeper levels may still have, stays covered; and no two outputs overlap.
 */

import { compareCuts } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { RangeFragment } from '../../kernel/fragment-list.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'

export class RangeOutputs {
  readonly #fragments: readonly RangeFragment[]
  readonly #order: KeyOrder
  #next = 0
  /** Where the next output begins. */
  #lower: KeyCut | undefined

  /** @param fragments ascending */
  constructor(fragments: readonly RangeFragment[], order: KeyOrder) {
    this.#fragments = fragments
    this.#order = order
  }

  /** What the output has that ends at `upper`: everything up to there that none before has. */
  takeUntil(upper: KeyCut): readonly RangeFragment[] {
    const fragments = this.#fragments
    const order = this.#order
    const from = this.#lower
    const taken: RangeFragment[] = []
    this.#lower = upper
    for (; this.#next < fragments.length; this.#next++) {
      const fragment = fragments[this.#next] as RangeFragment
      if (compareCuts(order, fragment.lower, upper) >= 0) break
      const lower = from !== undefined && compareCuts(order, fragment.lower, from) < 0 ? from : fragment.lower
      const goesOn = compareCuts(order, fragment.upper, upper) > 0
      taken.push({ lower, upper: goesOn ? upper : fragment.upper, seqnos: fragment.seqnos })
      if (goesOn) break
    }
    return taken
  }
}
