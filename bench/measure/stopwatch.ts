/** Time that counts: runs while a peer works, stands still while the harness prepares the next operations. */

import { cpuUsage } from 'node:process'

export class Stopwatch {
  readonly #budgetMs: number
  #elapsedMs = 0
  #startedMs: number | undefined
  #processorMs = 0
  #startedUsage = cpuUsage()

  constructor(budgetMs: number) {
    this.#budgetMs = budgetMs
  }

  start(): void {
    this.#startedUsage = cpuUsage()
    this.#startedMs = performance.now()
  }

  stop(): void {
    this.#elapsedMs = this.elapsedMs
    this.#startedMs = undefined
    const { user, system } = cpuUsage(this.#startedUsage)
    this.#processorMs += (user + system) / 1000
  }

  /** Processor time of all threads meanwhile: comparable even where others keep the machine busy. */
  get processorMs(): number {
    return this.#processorMs
  }

  get elapsedMs(): number {
    return this.#elapsedMs + (this.#startedMs === undefined ? 0 : performance.now() - this.#startedMs)
  }

  /** A slow peer stops here; what it did by then is counted and checked all the same. */
  get expired(): boolean {
    return this.elapsedMs > this.#budgetMs
  }
}
