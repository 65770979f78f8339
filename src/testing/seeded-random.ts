/** Chance from a seed: the same seed, the same history. SplitMix32 (Steele, Lea, Flood 2014; 32-bit constants of MurmurHash3). */

import type { Random } from '../kernel/random.ts'

/** For tests and simulations; not for secrets. */
export class SeededRandom implements Random {
  #state: number

  /** @param seed its low 32 bits count */
  constructor(seed: number) {
    this.#state = seed | 0
  }

  u32(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return (mixed ^ (mixed >>> 16)) >>> 0
  }

  /** Integer, 0 … limit − 1. */
  below(limit: number): number {
    return this.u32() % limit
  }

  /** True once in `of` times. */
  once(of: number): boolean {
    return this.below(of) === 0
  }
}
