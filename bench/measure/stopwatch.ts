/** Time that counts: runs while a peer works, stands still while the harness prepares the next operations. */

export class Stopwatch {
  readonly #budgetMs: number
  #elapsedMs = 0
  #startedMs: number | undefined

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs
  }

  start(): void {
    this.#startedMs = performance.now()
  }

  stop(): void {
    this.#elapsedMs = this.elapsedMs
    this.#startedMs = undefined
  }

  get elapsedMs(): number {
    return this.#elapsedMs + (this.#startedMs === undefined ? 0 : performance.now() - this.#startedMs)
  }

  /** A slow peer stops here; what it did by then is counted and checked all the same. */
  get expired(): boolean {
    return this.elapsedMs > this.#budgetMs
  }
}
