/** A simulated file: what is on stable storage, and what has been written since and may be lost. */

import type { Random } from '../kernel/random.ts'
import { FileContent } from './disk-image.ts'
import { SeededRandom } from './seeded-random.ts'
import { SimulatedBytes } from './simulated-bytes.ts'
import { SECTOR_BYTES, applyFate } from './simulated-change.ts'
import type { ContentChange, Fate } from './simulated-change.ts'

/** What of the changes that were not synced a crash keeps. */
export type KeptChanges = 'none' | 'all' | 'some'

/**
 * What a failed sync does to the pages that it should have stored ("Can Applications Recover from fsync Failures?",
 * ATC 2020).
 *
 * - `dropped`: taken for clean. Readers go on seeing them until a crash, and no later sync stores them (ext4, XFS)
 * - `reverted`: readers see at once what is on stable storage (Btrfs)
 * - `retained`: the error is reported once; they stay dirty, and the next sync stores them
 */
export type FailedSyncs = 'dropped' | 'reverted' | 'retained'

/** The bytes of one file, twice: as readers see them, and as a power cut would leave them. */
export class SimulatedInode {
  /** As `DeviceStat.identity`. */
  readonly identity: number
  /** What a reader sees. */
  #current: SimulatedBytes
  readonly #durable: SimulatedBytes
  /** The same bytes, until they change. */
  #durableContent: FileContent | undefined
  readonly #random: SeededRandom
  #pending: ContentChange[] = []
  /** Changes before `#pending`, over the inode's life. */
  #settled = 0

  /** @param content what is on stable storage; not changed */
  constructor(identity: number, content: FileContent = new FileContent(new Uint8Array(0))) {
    this.identity = identity
    this.#current = new SimulatedBytes(content.bytes)
    this.#durable = new SimulatedBytes(content.bytes)
    this.#durableContent = content
    this.#random = new SeededRandom(identity)
  }

  /** As readers see it, in bytes. */
  get length(): number {
    return this.#current.length
  }

  /** On stable storage, in bytes. */
  get durableLength(): number {
    return this.#durable.length
  }

  /** A power cut may lose something of it. */
  get dirty(): boolean {
    return this.#pending.length > 0
  }

  /** What a power cut may lose, in order. */
  get pending(): readonly ContentChange[] {
    return this.#pending
  }

  /** Changes made so far: what a sync that begins now will cover. */
  get changes(): number {
    return this.#settled + this.#pending.length
  }

  /** As a reader sees it. @returns bytes read, fewer than asked for only at the end */
  read(into: Uint8Array, position: number): number {
    return this.#current.read(into, position)
  }

  /** What is on stable storage there: stale, where it has been overwritten since. */
  readDurable(into: Uint8Array, position: number): number {
    return this.#durable.read(into, position)
  }

  /** Not synced. The parts are copied. */
  write(parts: readonly Uint8Array[], position: number): void {
    const bytes = Uint8Array.from(parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts))
    if (bytes.length > 0) this.#change({ type: 'write', position, bytes })
  }

  /** A write that failed: sectors of it, as chance has it. */
  writeSome(parts: readonly Uint8Array[], position: number): void {
    let at = position
    for (const part of parts) {
      for (const piece of sectors(part, at)) if (this.#random.once(2)) this.write([piece.bytes], piece.position)
      at += part.length
    }
  }

  /** Not synced. Cuts, or lengthens with zeros. */
  truncate(bytes: number): void {
    this.#change({ type: 'truncate', bytes })
  }

  /** @param changes those that the sync covers, as `changes` was when it began */
  sync(changes: number): void {
    for (const change of this.#settle(changes)) applyFate(this.#durable, change, 'kept')
  }

  /** A failed sync. What reached the disk did so by chance. */
  failSync(changes: number, failed: FailedSyncs): void {
    if (failed === 'retained') return
    const settled = this.#settle(changes)
    if (failed === 'dropped') {
      for (const change of settled) applySome(this.#durable, change, this.#random)
    } else {
      this.#current = new SimulatedBytes(this.#durable.content())
      for (const change of this.#pending) applyFate(this.#current, change, 'kept')
    }
  }

  /** A copy of what a reader sees. */
  content(): Uint8Array {
    return this.#current.content()
  }

  /** Changes a stored bit, as a failing medium would. */
  flipBit(position: number, bit: number): void {
    this.#durableContent = undefined
    this.#current.flipBit(position, bit)
    this.#durable.flipBit(position, bit)
  }

  /** The file after a power cut. Writes are torn at sectors; a file may have grown without its data: zeros. */
  afterCrash(kept: KeptChanges, random: Random): FileContent {
    if (kept === 'none' || !this.dirty) return this.#frozen()
    const after = new SimulatedBytes(this.#durable.content())
    for (const change of this.#pending) {
      if (kept === 'all') applyFate(after, change, 'kept')
      else applySome(after, change, random)
    }
    return new FileContent(after.content())
  }

  /** The file after a power cut. @param fates one for each of `pending` */
  afterFates(fates: readonly Fate[]): FileContent {
    if (fates.every((fate) => fate === 'lost')) return this.#frozen()
    const after = new SimulatedBytes(this.#frozen().bytes)
    for (const [index, change] of this.#pending.entries()) applyFate(after, change, fates[index] as Fate)
    return new FileContent(after.content())
  }

  #frozen(): FileContent {
    this.#durableContent ??= new FileContent(this.#durable.content())
    return this.#durableContent
  }

  #change(change: ContentChange): void {
    this.#pending.push(change)
    applyFate(this.#current, change, 'kept')
  }

  #settle(changes: number): readonly ContentChange[] {
    const settled = this.#pending.splice(0, Math.max(0, changes - this.#settled))
    this.#settled += settled.length
    if (settled.length > 0) this.#durableContent = undefined
    return settled
  }
}

/** A third of the changes is lost; of the others half of the writes are torn. */
function applySome(bytes: SimulatedBytes, change: ContentChange, random: Random): void {
  if (random.u32() % 3 === 0) return
  if (change.type === 'truncate' || random.u32() % 2 === 0) applyFate(bytes, change, 'kept')
  else
    for (const piece of sectors(change.bytes, change.position))
      if (random.u32() % 2 === 0) applyFate(bytes, piece, 'kept')
}

/** A write in the pieces that a disk stores one at a time. */
function* sectors(bytes: Uint8Array, position: number): Generator<ContentChange & { readonly type: 'write' }> {
  for (let start = 0; start < bytes.length;) {
    const limit = Math.min(bytes.length, start + SECTOR_BYTES - ((position + start) % SECTOR_BYTES))
    yield { type: 'write', position: position + start, bytes: bytes.subarray(start, limit) }
    start = limit
  }
}
