/**
 * A random order of `0 … count - 1` that needs no memory: a Feistel network over the next power of four, walked until it
 * lands inside. Every number comes once, so a random fill leaves exactly `count` keys with every peer.
 */

import { mix } from './random.ts'

const ROUNDS = 4

export class Permutation {
  readonly #count: number
  readonly #seed: number
  readonly #halfBits: number
  readonly #halfMask: number

  constructor(count: number, seed: number) {
    this.#count = count
    this.#seed = seed
    this.#halfBits = Math.max(1, Math.ceil(Math.log2(Math.max(2, count)) / 2))
    this.#halfMask = 2 ** this.#halfBits - 1
  }

  at(index: number): number {
    let position = index
    do position = this.#shuffle(position)
    while (position >= this.#count)
    return position
  }

  #shuffle(position: number): number {
    let left = position >>> this.#halfBits
    let right = position & this.#halfMask
    for (let round = 0; round < ROUNDS; round++) {
      const next = left ^ (mix(right + Math.imul(this.#seed + round, 0x9e3779b1)) & this.#halfMask)
      left = right
      right = next
    }
    return ((left << this.#halfBits) | right) >>> 0
  }
}
