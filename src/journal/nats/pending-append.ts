/** Appends that are not acknowledged, in order, and who waits for them. */

import type { VarveError } from '../../kernel/errors.ts'
import { Deferred } from '../deferred.ts'

export interface PendingAppend {
  readonly position: number
  readonly payload: Uint8Array
  readonly written: Deferred
}

export class PendingAppends {
  readonly bytesMax: number
  readonly #appends: PendingAppend[] = []
  #bytes = 0
  #waiting: Deferred[] = []

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  add(position: number, payload: Uint8Array): PendingAppend {
    const append = { position, payload, written: new Deferred() }
    this.#appends.push(append)
    this.#bytes += payload.length
    return append
  }

  /** The first one is stored. */
  acknowledge(): void {
    const append = this.#appends.shift()
    if (append === undefined) return
    this.#bytes -= append.payload.length
    append.written.resolve()
    this.#wake()
  }

  /** Rejects all of them. @returns where the first one begins */
  reject(reason: VarveError): number | undefined {
    const first = this.#appends[0]?.position
    for (const { written } of this.#appends.splice(0)) written.reject(reason)
    this.#bytes = 0
    this.#wake()
    return first
  }

  async ready(): Promise<void> {
    while (this.#bytes > this.bytesMax) {
      const waiter = new Deferred()
      this.#waiting.push(waiter)
      await waiter.promise
    }
  }

  /** Waits until everything appended so far is answered, or never will be. */
  async settled(): Promise<void> {
    await this.#appends.at(-1)?.written.promise.catch(() => undefined)
  }

  #wake(): void {
    if (this.#bytes > this.bytesMax) return
    for (const waiter of this.#waiting.splice(0)) waiter.resolve()
  }
}
