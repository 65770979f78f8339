/** Bytes that grow like a file: what lies between the old end and a write behind it is zeros. */

import { copyOf } from '../kernel/bytes.ts'

export class SimulatedBytes {
  #bytes: Uint8Array
  #length: number
  /** False while `#bytes` belongs to somebody else, who does not change it: copied before the first change. */
  #owned = false

  /** @param content never changed by the caller afterwards */
  constructor(content: Uint8Array = new Uint8Array(0)) {
    this.#bytes = content
    this.#length = content.length
  }

  get length(): number {
    return this.#length
  }

  /** Bytes read: fewer than fit only at the end. */
  read(into: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.#length - position))
    into.set(this.#bytes.subarray(position, position + count))
    return count
  }

  write(bytes: Uint8Array, position: number): void {
    if (bytes.length === 0) return
    this.#reserve(position + bytes.length)
    this.#bytes.set(bytes, position)
    this.#length = Math.max(this.#length, position + bytes.length)
  }

  truncate(length: number): void {
    this.#reserve(length)
    if (length < this.#length) this.#bytes.fill(0, length, this.#length)
    this.#length = length
  }

  flipBit(position: number, bit: number): void {
    this.#reserve(this.#length)
    if (position < this.#length) this.#bytes[position] = (this.#bytes[position] as number) ^ (1 << bit)
  }

  /** A copy. */
  content(): Uint8Array {
    return copyOf(this.#bytes, 0, this.#length)
  }

  /** Makes the bytes our own, and room for `length` of them. */
  #reserve(length: number): void {
    if (this.#owned && length <= this.#bytes.length) return
    const grown = new Uint8Array(length <= this.#bytes.length ? this.#bytes.length : Math.max(length, this.#length * 2))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#owned = true
  }
}
