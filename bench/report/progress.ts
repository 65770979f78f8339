/** One line on the terminal that says what is being measured; whole lines where the output is no terminal. */

import { stderr } from 'node:process'

export class Progress {
  readonly #total: number
  readonly #startMs = performance.now()
  #done = 0

  constructor(total: number) {
    this.#total = total
  }

  /** `fraction` of the current step is done. */
  show(step: string, fraction: number): void {
    if (!stderr.isTTY) return
    stderr.write(`\r\u001B[2K${this.#counter()} ${step} ${Math.min(100, Math.round(fraction * 100))}%${this.#left()}`)
  }

  /** The current step has ended like this. */
  finish(step: string, result: string): void {
    this.#done++
    stderr.write(`${stderr.isTTY ? '\r\u001B[2K' : ''}${this.#counter()} ${step}: ${result}\n`)
  }

  #counter(): string {
    return `[${this.#done}/${this.#total}]`
  }

  #left(): string {
    if (this.#done < 3) return ''
    const leftMs = ((performance.now() - this.#startMs) / this.#done) * (this.#total - this.#done)
    return leftMs > 90_000 ? `, about ${Math.round(leftMs / 60_000)} min left` : ''
  }
}
