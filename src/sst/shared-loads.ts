/** Loads under way, by number: whoever asks for what is on its way waits for that. */

export class SharedLoads {
  readonly #loads = new Map<number, Promise<object>>()

  async share(number: number, load: () => Promise<object>): Promise<object> {
    let under = this.#loads.get(number)
    if (under === undefined) {
      under = load()
      this.#loads.set(number, under)
    }
    try {
      return await under
    } finally {
      if (this.#loads.get(number) === under) this.#loads.delete(number)
    }
  }
}
