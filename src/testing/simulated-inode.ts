/** A simulated file: what is on stable storage, and what has been written since and may be lost. */

import type { Random } from '../kernel/random.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedBytes } from './simulated-bytes.ts'

const SECTOR_BYTES = 512

type Change =
  | { readonly type: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly bytes: number }

/** What of the changes that were not synced a crash keeps. */
export type KeptChanges = 'none' | 'all' | 'some'

export class SimulatedInode {
  readonly identity: number
  /** What a reader sees. */
  readonly #current: SimulatedBytes
  readonly #durable: SimulatedBytes
  readonly #random: SeededRandom
  #pending: Change[] = []
  /** Changes before `#pending`, over the inode's life. */
  #settled = 0

  constructor(identity: number, content: Uint8Array = new Uint8Array(0)) {
    this.identity = identity
    this.#current = new SimulatedBytes(content)
    this.#durable = new SimulatedBytes(content)
    this.#random = new SeededRandom(identity)
  }

  get length(): number {
    return this.#current.length
  }

  get dirty(): boolean {
    return this.#pending.length > 0
  }

  /** Changes made so far: what a sync that begins now will cover. */
  get changes(): number {
    return this.#settled + this.#pending.length
  }

  read(into: Uint8Array, position: number): number {
    return this.#current.read(into, position)
  }

  write(parts: readonly Uint8Array[], position: number): void {
    let at = position
    for (const part of parts) {
      this.#change({ type: 'write', position: at, bytes: part.slice() })
      at += part.length
    }
  }

  /** A write that failed: sectors of it, as chance has it. */
  writeSome(parts: readonly Uint8Array[], position: number): void {
    let at = position
    for (const part of parts) {
      for (const piece of sectors(part, at)) if (this.#random.once(2)) this.write([piece.bytes], piece.position)
      at += part.length
    }
  }

  truncate(bytes: number): void {
    this.#change({ type: 'truncate', bytes })
  }

  /** @param changes those that the sync covers, as `changes` was when it began */
  sync(changes: number): void {
    for (const change of this.#settle(changes)) apply(this.#durable, change)
  }

  /**
   * A failed sync. The system takes the pages for clean, so readers go on seeing what was written and no later sync
   * stores it; what reached the disk did so by chance.
   */
  failSync(changes: number): void {
    for (const change of this.#settle(changes)) applySome(this.#durable, change, this.#random)
  }

  /** A copy of what a reader sees. */
  content(): Uint8Array {
    return this.#current.content()
  }

  /** Changes a stored bit, as a failing medium would. */
  flipBit(position: number, bit: number): void {
    this.#current.flipBit(position, bit)
    this.#durable.flipBit(position, bit)
  }

  /** The file after a power cut. Writes are torn at sectors; a file may have grown without its data: zeros. */
  afterCrash(kept: KeptChanges, random: Random): Uint8Array {
    const after = new SimulatedBytes(this.#durable.content())
    for (const change of this.#pending) {
      if (kept === 'all') apply(after, change)
      else if (kept === 'some') applySome(after, change, random)
    }
    return after.content()
  }

  #change(change: Change): void {
    this.#pending.push(change)
    apply(this.#current, change)
  }

  #settle(changes: number): readonly Change[] {
    const settled = this.#pending.splice(0, Math.max(0, changes - this.#settled))
    this.#settled += settled.length
    return settled
  }
}

function apply(bytes: SimulatedBytes, change: Change): void {
  if (change.type === 'truncate') bytes.truncate(change.bytes)
  else bytes.write(change.bytes, change.position)
}

/** A third of the changes is lost; of the others half of the writes are torn. */
function applySome(bytes: SimulatedBytes, change: Change, random: Random): void {
  if (random.u32() % 3 === 0) return
  if (change.type === 'truncate' || random.u32() % 2 === 0) apply(bytes, change)
  else for (const piece of sectors(change.bytes, change.position)) if (random.u32() % 2 === 0) apply(bytes, piece)
}

/** A write in the pieces that a disk stores one at a time. */
function* sectors(bytes: Uint8Array, position: number): Generator<Change & { readonly type: 'write' }> {
  for (let start = 0; start < bytes.length;) {
    const limit = Math.min(bytes.length, start + SECTOR_BYTES - ((position + start) % SECTOR_BYTES))
    yield { type: 'write', position: position + start, bytes: bytes.subarray(start, limit) }
    start = limit
  }
}
