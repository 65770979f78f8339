/** Who visits what a damaged directory still holds, and what he is shown. */

import type { RangeTombstone } from './kernel/range-tombstone.ts'

/** Something that cannot be read any more. */
export interface Loss {
  /** Path below the directory. */
  readonly file: string
  /** For people. */
  readonly reason: string
  /** Keys that may be gone lie between these, both included, where that is known; undefined: anywhere. */
  readonly keyFirst: Uint8Array | undefined
  /** See `keyFirst`. */
  readonly keyLast: Uint8Array | undefined
}

export interface SalvagedEntry {
  readonly key: Uint8Array
  readonly seqno: number
  /** Undefined: deleted. */
  readonly value: Uint8Array | undefined
}

export interface SalvageVisitor {
  entry(entry: SalvagedEntry): void
  tombstone(tombstone: RangeTombstone): void
  loss(loss: Loss): void
  /** Called between pieces: what was visited may be written meanwhile. Where it rejects, the visit ends with that. */
  pause(): Promise<void>
}

/** Somebody who visits has given up: that is no damage of what he was shown, whatever error it is. */
export class GivenUp extends Error {}
