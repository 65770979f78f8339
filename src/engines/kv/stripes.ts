/**
 * Stripes: what pinned seqnos cut history into.
 *
 * Readers look at pinned seqnos or at the newest. Everything between the same two pins is seen by the same readers, so of
 * all that replaces one another there, only the newest counts.
 */

export class Stripes {
  readonly #pins: Float64Array

  /** @param pinnedSeqnos ascending */
  constructor(pinnedSeqnos: readonly number[]) {
    this.#pins = Float64Array.from(pinnedSeqnos)
  }

  get count(): number {
    return this.#pins.length + 1
  }

  /** How many pins are below `seqno`. 0: the oldest stripe. */
  of(seqno: number): number {
    const pins = this.#pins
    let stripe = pins.length
    while (stripe > 0 && (pins[stripe - 1] as number) >= seqno) stripe--
    return stripe
  }
}
