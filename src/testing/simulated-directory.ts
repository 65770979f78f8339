/** A simulated directory: the entries on stable storage, and the changes since that may be lost. */

import type { Random } from '../kernel/random.ts'
import type { Fate } from './simulated-change.ts'
import type { KeptChanges, SimulatedInode } from './simulated-inode.ts'

type Entries = ReadonlyMap<string, SimulatedInode>
/** Entries that change together: a rename is one change of two names. undefined: the name is gone. */
type Change = readonly (readonly [name: string, inode: SimulatedInode | undefined])[]

export class SimulatedDirectory {
  readonly #current: Map<string, SimulatedInode>
  readonly #durable: Map<string, SimulatedInode>
  #pending: Change[] = []
  /** Changes before `#pending`, over the directory's life. */
  #settled = 0

  constructor(entries: Entries = new Map()) {
    this.#current = new Map(entries)
    this.#durable = new Map(entries)
  }

  get entries(): Entries {
    return this.#current
  }

  get dirty(): boolean {
    return this.#pending.length > 0
  }

  /** Changes that a power cut may lose. */
  get pendingCount(): number {
    return this.#pending.length
  }

  /** Files that have a name here, or may have one after a power cut, each with one such name. */
  *named(): Generator<readonly [string, SimulatedInode]> {
    yield* this.#current
    yield* this.#durable
    for (const change of this.#pending) {
      for (const [name, inode] of change) if (inode !== undefined) yield [name, inode]
    }
  }

  change(...change: Change): void {
    this.#pending.push(change)
    apply(this.#current, change)
  }

  /** Changes made so far: what a sync that begins now will cover. */
  get changes(): number {
    return this.#settled + this.#pending.length
  }

  /** @param changes those that the sync covers, as `changes` was when it began */
  sync(changes: number): void {
    const settled = this.#pending.splice(0, Math.max(0, changes - this.#settled))
    this.#settled += settled.length
    for (const change of settled) apply(this.#durable, change)
  }

  /** The entries after a power cut. */
  afterCrash(kept: KeptChanges, random: Random): Entries {
    const after = new Map(this.#durable)
    for (const change of this.#pending) {
      if (kept === 'all' || (kept === 'some' && random.u32() % 2 === 0)) apply(after, change)
    }
    return after
  }

  /** The entries after a power cut. @param fates one for each pending change: anything but `lost` keeps it */
  afterFates(fates: readonly Fate[]): Entries {
    const after = new Map(this.#durable)
    for (const [index, change] of this.#pending.entries()) if (fates[index] !== 'lost') apply(after, change)
    return after
  }
}

function apply(entries: Map<string, SimulatedInode>, change: Change): void {
  for (const [name, inode] of change) {
    if (inode === undefined) entries.delete(name)
    else entries.set(name, inode)
  }
}
