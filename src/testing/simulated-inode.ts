/** A simulated file: what is on stable storage, and what has been written since and may be lost. */

import type { SeededRandom } from './seeded-random.ts'

const SECTOR_BYTES = 512

type Change =
  | { readonly type: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly bytes: number }

/** What of the changes that were not synced a crash keeps. */
export type KeptChanges = 'none' | 'all' | 'some'

export class SimulatedInode {
  readonly identity: number
  /** What a reader sees. */
  #current: Uint8Array
  #length: number
  #durable: Uint8Array
  #pending: Change[] = []

  constructor(identity: number, content: Uint8Array = new Uint8Array(0)) {
    this.identity = identity
    this.#current = content.slice()
    this.#durable = content.slice()
    this.#length = content.length
  }

  get length(): number {
    return this.#length
  }

  get dirty(): boolean {
    return this.#pending.length > 0
  }

  read(into: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.#length - position))
    into.set(this.#current.subarray(position, position + count))
    return count
  }

  write(parts: readonly Uint8Array[], position: number): void {
    let at = position
    for (const part of parts) {
      const bytes = part.slice()
      this.#pending.push({ type: 'write', position: at, bytes })
      this.#reserve(at + bytes.length)
      this.#current.set(bytes, at)
      at += bytes.length
      this.#length = Math.max(this.#length, at)
    }
  }

  truncate(bytes: number): void {
    this.#pending.push({ type: 'truncate', bytes })
    this.#reserve(bytes)
    this.#current.fill(0, Math.min(bytes, this.#length), this.#current.length)
    this.#length = bytes
  }

  sync(): void {
    this.#durable = this.content()
    this.#pending = []
  }

  /** After a failed sync the system may have dropped the pages: what was pending can be read, and is never stored. */
  loseWrites(): void {
    this.#pending = []
  }

  /** A copy of what a reader sees. */
  content(): Uint8Array {
    return this.#current.slice(0, this.#length)
  }

  /** Changes a stored bit, as a failing medium would. */
  flipBit(position: number, bit: number): void {
    this.#current[position] = (this.#current[position] as number) ^ (1 << bit)
    this.#durable[position] = (this.#durable[position] as number) ^ (1 << bit)
  }

  /** The file after a power cut. Writes are torn at sectors; a file may have grown without its data: zeros. */
  afterCrash(kept: KeptChanges, random: SeededRandom): Uint8Array {
    const after = new SimulatedInode(this.identity, this.#durable)
    for (const change of this.#pending) {
      if (kept === 'none' || (kept === 'some' && random.once(3))) continue
      if (change.type === 'truncate') after.truncate(change.bytes)
      else if (kept === 'all' || random.once(2)) after.write([change.bytes], change.position)
      else after.#writeTorn(change.bytes, change.position, random)
    }
    return after.content()
  }

  #writeTorn(bytes: Uint8Array, position: number, random: SeededRandom): void {
    for (let start = 0; start < bytes.length;) {
      const limit = Math.min(bytes.length, start + SECTOR_BYTES - ((position + start) % SECTOR_BYTES))
      if (random.once(2)) this.write([bytes.subarray(start, limit)], position + start)
      start = limit
    }
  }

  #reserve(length: number): void {
    if (length <= this.#current.length) return
    const grown = new Uint8Array(Math.max(length, this.#current.length * 2))
    grown.set(this.#current.subarray(0, this.#length))
    this.#current = grown
  }
}
