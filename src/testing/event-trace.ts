/** The history of a simulation as one hash: everything that happened, in order, with the bytes that were written. */

import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import type { DeviceOperation } from './simulated-device.ts'

export class EventTrace {
  readonly #hash: Hash = createHash('sha256')
  #count = 0

  /** Events so far. */
  get count(): number {
    return this.#count
  }

  event(label: string, atMs: number): void {
    this.#add(`${label} @${atMs}`)
  }

  operation(process: number, { operation, path, position, bytes, parts = [] }: DeviceOperation): void {
    this.#add(`${process} ${operation} ${path} ${position} ${bytes}`)
    for (const part of parts) this.#hash.update(part)
  }

  /** SHA-256 in hexadecimal. Ends the trace. */
  digest(): string {
    return this.#hash.digest('hex')
  }

  #add(text: string): void {
    this.#count++
    this.#hash.update(`${text}\n`)
  }
}
