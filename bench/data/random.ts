/**
 * Chance from a seed: sfc32, by Chris Doty-Humphrey (PractRand). The same seed gives every peer the same operations.
 */

export class SeededNumbers {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = Math.imul(seed, 0x9e3779b1)
    this.#c = 0x2545f491
    for (let round = 0; round < 12; round++) this.word()
  }

  /** 32 random bits, unsigned. */
  word(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** A whole number in `0 … limit - 1`, limit up to 2^32. */
  below(limit: number): number {
    return Math.floor(this.unit() * limit)
  }

  /** In `0 … 1`, exclusive above. */
  unit(): number {
    return this.word() / 0x1_0000_0000
  }
}

/** Finaliser of MurmurHash3, by Austin Appleby: every bit of the input moves every bit of the output. Unsigned. */
export function mix(word: number): number {
  let mixed = word ^ (word >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}
