/** A simulated directory: the entries on stable storage, and the changes since that may be lost. */

import type { SeededRandom } from './seeded-random.ts'
import type { KeptChanges, SimulatedInode } from './simulated-inode.ts'

type Entries = ReadonlyMap<string, SimulatedInode>
/** Entries that change together: a rename is one change of two names. undefined: the name is gone. */
type Change = readonly (readonly [name: string, inode: SimulatedInode | undefined])[]

export class SimulatedDirectory {
  readonly #current: Map<string, SimulatedInode>
  #durable: Entries
  #pending: Change[] = []

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

  change(...change: Change): void {
    this.#pending.push(change)
    apply(this.#current, change)
  }

  sync(): void {
    this.#durable = new Map(this.#current)
    this.#pending = []
  }

  /** The entries after a power cut. */
  afterCrash(kept: KeptChanges, random: SeededRandom): Entries {
    const after = new Map(this.#durable)
    for (const change of this.#pending) {
      if (kept === 'all' || (kept === 'some' && random.once(2))) apply(after, change)
    }
    return after
  }
}

function apply(entries: Map<string, SimulatedInode>, change: Change): void {
  for (const [name, inode] of change) {
    if (inode === undefined) entries.delete(name)
    else entries.set(name, inode)
  }
}
