/**
 * What a power cut may leave of changes that were not synced, enumerated: only a sync orders anything.
 *
 * The policies are those of the work on file systems (ALICE, OSDI 2014; CrashMonkey, OSDI 2018), from nothing kept to
 * any subset, and writes that arrived in part.
 */

import { SECTOR_BYTES } from './simulated-change.ts'
import type { Fate, PendingChange } from './simulated-change.ts'
import { SeededRandom } from './seeded-random.ts'

/**
 * - `none`, `all`: every change is lost, or kept
 * - `one`, `all but one`: of each change in turn
 * - `subset`: every subset of up to 8 changes, 64 seeded ones of more
 * - `torn`: each write cut at every sector and at three more bytes, with the others kept, and with the later ones lost
 * - `grown`: files have their length but not their data, which reads as zeros or as garbage; each alone, and all
 * - `names only`, `data only`: entries of directories without content, and content without entries
 */
export type CrashStatePolicy =
  'none' | 'all' | 'one' | 'all but one' | 'subset' | 'torn' | 'grown' | 'names only' | 'data only'

/** One state that a power cut may leave. */
export interface CrashState {
  /** By which it was thought of. */
  readonly policy: CrashStatePolicy
  /** One for each change. */
  readonly fates: readonly Fate[]
}

const SUBSET_CHANGES_MAX = 8
const SUBSETS_OF_MORE = 64

/** Every state that a power cut may leave, by policy. Different ones may turn out to be the same disk. */
export function* crashStates(pending: readonly PendingChange[], seed: number): Generator<CrashState> {
  const all = pending.map((): Fate => 'kept')
  const none = pending.map((): Fate => 'lost')
  yield { policy: 'none', fates: none }
  if (pending.length === 0) return
  yield { policy: 'all', fates: all }
  if (pending.length > 1) {
    for (const index of pending.keys()) yield { policy: 'one', fates: none.with(index, 'kept') }
    for (const index of pending.keys()) yield { policy: 'all but one', fates: all.with(index, 'lost') }
  }
  for (const fates of subsets(pending.length, seed)) yield { policy: 'subset', fates }
  for (const [index, change] of pending.entries()) {
    if (change.what !== 'write') continue
    for (const tornAfter of cuts(change)) {
      const torn = all.with(index, { tornAfter })
      yield { policy: 'torn', fates: torn }
      if (index + 1 < pending.length) {
        yield { policy: 'torn', fates: torn.map((fate, at) => (at > index ? 'lost' : fate)) }
      }
    }
  }
  for (const grown of ['zeros', 'garbage'] as const) {
    const growing = (at: number): boolean => (pending[at] as PendingChange).grownBytes > 0
    const indexes = [...pending.keys()].filter(growing)
    for (const index of indexes) yield { policy: 'grown', fates: all.with(index, { grown }) }
    if (indexes.length > 1) {
      yield { policy: 'grown', fates: all.map((fate, at): Fate => (growing(at) ? { grown } : fate)) }
    }
  }
  const isName = ({ what }: PendingChange): boolean => what === 'name'
  yield { policy: 'names only', fates: pending.map((change) => (isName(change) ? 'kept' : 'lost')) }
  yield { policy: 'data only', fates: pending.map((change) => (isName(change) ? 'lost' : 'kept')) }
}

function* subsets(count: number, seed: number): Generator<readonly Fate[]> {
  const indexes = Array.from({ length: count }, (_, index) => index)
  if (count <= SUBSET_CHANGES_MAX) {
    // Of one or two changes every subset has been one of the policies before.
    if (count <= 2) return
    for (let bits = 1; bits < 2 ** count - 1; bits++)
      yield indexes.map((index) => ((bits >>> index) & 1 ? 'kept' : 'lost'))
    return
  }
  const random = new SeededRandom(seed)
  for (let left = SUBSETS_OF_MORE; left > 0; left--) yield indexes.map(() => (random.once(2) ? 'kept' : 'lost'))
}

/** Where a write may have stopped. */
function cuts({ position, bytes }: PendingChange): ReadonlySet<number> {
  const found = new Set<number>()
  for (let at = SECTOR_BYTES - (position % SECTOR_BYTES); at < bytes; at += SECTOR_BYTES) found.add(at)
  for (const at of [1, bytes >>> 1, bytes - 1]) if (at > 0 && at < bytes) found.add(at)
  return found
}
