/** Which pairs of {calls taken, state} a search has seen, and which calls it has taken now. */

export class SeenStates {
  readonly #taken: Uint32Array
  readonly #seen = new Set<string>()

  /** @param count how many calls there are */
  constructor(count: number) {
    this.#taken = new Uint32Array(Math.ceil(count / 32))
  }

  /** Takes `call`, unless that leads to a pair that has been seen: then false. */
  add(call: number, state: string): boolean {
    this.#flip(call)
    const pair = `${this.#taken.join()} ${state}`
    if (this.#seen.has(pair)) {
      this.#flip(call)
      return false
    }
    this.#seen.add(pair)
    return true
  }

  /** Gives `call` back. */
  remove(call: number): void {
    this.#flip(call)
  }

  #flip(call: number): void {
    const word = call >>> 5
    this.#taken[word] = ((this.#taken[word] as number) ^ (1 << (call & 31))) >>> 0
  }
}
