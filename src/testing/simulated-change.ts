/** Changes of a simulated disk that are not on stable storage yet, and what may become of each in a power cut. */

import type { SimulatedBytes } from './simulated-bytes.ts'

/** What a disk stores whole, or not at all. */
export const SECTOR_BYTES = 512

/** A change of the content of one file. */
export type ContentChange =
  | { readonly type: 'write'; readonly position: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly bytes: number }

/** What tells one pending change from the others. */
export interface PendingChange {
  /** Of a directory (an entry appears, goes, or moves), or of the content of a file. */
  readonly what: 'name' | 'write' | 'truncate'
  /** Of the directory, or a name that the file has or had. */
  readonly path: string
  /** Of a write. */
  readonly position: number
  /** Length of a write, in bytes; what a truncation leaves. */
  readonly bytes: number
  /** Bytes by which it makes the file longer than it is on stable storage. */
  readonly grownBytes: number
}

/**
 * What becomes of one change in a power cut.
 *
 * `tornAfter`: a write of which only the first bytes arrived. `grown`: the file got its length but not the data (ALICE,
 * OSDI 2014): zeros, or what the sectors held before. For anything but a write both mean `kept`.
 */
export type Fate = 'kept' | 'lost' | { readonly tornAfter: number } | { readonly grown: 'zeros' | 'garbage' }

/** Applies `change` to `bytes` as far as its fate lets it. */
export function applyFate(bytes: SimulatedBytes, change: ContentChange, fate: Fate): void {
  if (fate === 'lost') return
  if (change.type === 'truncate') {
    bytes.truncate(change.bytes)
    return
  }
  if (fate === 'kept') bytes.write(change.bytes, change.position)
  else if ('tornAfter' in fate) bytes.write(change.bytes.subarray(0, fate.tornAfter), change.position)
  else grow(bytes, change.position, change.bytes.length, fate.grown)
}

function grow(bytes: SimulatedBytes, position: number, length: number, fill: 'zeros' | 'garbage'): void {
  const start = Math.max(bytes.length, position)
  const added = position + length - start
  if (added <= 0) return
  const content = new Uint8Array(added)
  // Looks like anything but what was written, and is the same every time.
  if (fill === 'garbage') for (let index = 0; index < added; index++) content[index] = (index * 151 + 89) & 0xff
  bytes.write(content, start)
}
