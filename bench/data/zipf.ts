/**
 * Zipf-distributed numbers, as YCSB draws them: "Quickly Generating Billion-Record Synthetic Databases", Gray et al.,
 * SIGMOD 1994. 0 is the most popular; scatter the result where neighbours should not be popular together.
 */

import { mix } from './random.ts'
import type { SeededNumbers } from './random.ts'

/** YCSB's constant: the most popular of a million keys gets one request in fifteen. */
export const ZIPF_EXPONENT = 0.99

/** Past this the sum is continued by its integral; the error is below a millionth. */
const EXACT_TERMS = 1_000_000

export class Zipf {
  readonly #random: SeededNumbers
  readonly #count: number
  readonly #zeta: number
  readonly #alpha: number
  readonly #eta: number

  constructor(count: number, random: SeededNumbers) {
    this.#random = random
    this.#count = count
    this.#zeta = zeta(count)
    this.#alpha = 1 / (1 - ZIPF_EXPONENT)
    this.#eta = (1 - (2 / count) ** (1 - ZIPF_EXPONENT)) / (1 - zeta(2) / this.#zeta)
  }

  /** In `0 … count - 1`. */
  next(): number {
    const unit = this.#random.unit()
    const scaled = unit * this.#zeta
    if (scaled < 1) return 0
    if (scaled < 1 + 0.5 ** ZIPF_EXPONENT) return 1
    const drawn = Math.floor(this.#count * (this.#eta * unit - this.#eta + 1) ** this.#alpha)
    return Math.min(drawn, this.#count - 1)
  }

  /** As popular, but strewn over the key space. */
  nextScattered(): number {
    return mix(this.next()) % this.#count
  }
}

function zeta(count: number): number {
  const exact = Math.min(count, EXACT_TERMS)
  let sum = 0
  for (let term = 1; term <= exact; term++) sum += 1 / term ** ZIPF_EXPONENT
  const power = 1 - ZIPF_EXPONENT
  return sum + (count ** power - exact ** power) / power
}
