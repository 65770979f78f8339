/** Bytes accepted and not yet handed on, a limit, and those who wait to get below it. */

export class PendingBytes {
  readonly bytesMax: number
  #bytes = 0
  #waiting: (() => void)[] = []

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  add(bytes: number): void {
    this.#bytes += bytes
  }

  remove(bytes: number): void {
    this.#bytes -= bytes
    if (this.#bytes > this.bytesMax) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }

  /** Resolves when at most `bytesMax` bytes are pending. */
  ready(): Promise<void> {
    if (this.#bytes <= this.bytesMax) return Promise.resolve()
    return new Promise((resume) => this.#waiting.push(resume))
  }
}
