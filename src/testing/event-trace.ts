/** The history of a simulation as one hash: everything that happened, in order, with the bytes that were written. */

import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import type { DeviceOperation } from './device-operation.ts'

// Hashing costs by the call as much as by the byte.
const LINES_LENGTH_MAX = 4096

/** Hashes events as they come: two runs with the same digest did the same. */
export class EventTrace {
  readonly #hash: Hash = createHash('sha256')
  /** Not hashed yet. */
  #lines = ''
  #count = 0

  /** Events so far. */
  get count(): number {
    return this.#count
  }

  /** Something happened, at that time. */
  event(label: string, atMs: number): void {
    this.#add(`${label} @${atMs}`)
  }

  /** A process asked its device for something; the bytes of a write are hashed at once. */
  operation(process: number, { operation, path, position, bytes, parts = [] }: DeviceOperation): void {
    this.#add(`${process} ${operation} ${path} ${position} ${bytes}`)
    if (parts.length === 0) return
    this.#hashLines()
    for (const part of parts) this.#hash.update(part)
  }

  /** What one machine was told by another. */
  message(from: string, to: string, bytes: Uint8Array): void {
    this.#add(`${from} > ${to} ${bytes.length}`)
    this.#hashLines()
    this.#hash.update(bytes)
  }

  /** SHA-256 in hexadecimal. Ends the trace. */
  digest(): string {
    this.#hashLines()
    return this.#hash.digest('hex')
  }

  #add(text: string): void {
    this.#count++
    this.#lines += `${text}\n`
    if (this.#lines.length > LINES_LENGTH_MAX) this.#hashLines()
  }

  #hashLines(): void {
    this.#hash.update(this.#lines)
    this.#lines = ''
  }
}
