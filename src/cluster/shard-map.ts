/**
 * The shard map: which shard has which keys, and who has the shard.
 *
 *      range     start     ''          'g'         'p'
 *                          ├─ shard a ─┤├─ shard b ┤├─ shard c ──►      a key belongs where it sorts
 *
 *      hash      start     ''          55 55 55 55 …                    a key belongs where its hash sorts
 *
 * Both are a division of byte strings into stretches without gaps; they differ in what is looked up. A map is immutable:
 * changes make another, with the next revision (map-changes.ts), and a compare-and-set puts it in the place of the last
 * (map-store.ts).
 *
 * A map says where to go, not who may write: that is decided by a shard's own head and journal, which fence the former
 * owner whatever it believes. A client with an old map is refused there, reads the map again, and goes on (map-client.ts).
 */

import { compareBytes } from '../kernel/bytes.ts'
import { hashKey } from '../kernel/hash.ts'
import type { ShardId } from '../kernel/ids.ts'

/** What is divided: keys themselves, or the hashes of keys. */
export type Partition = 'range' | 'hash'

/** A map at one revision. Plain data; never changed. */
export interface ShardMap {
  /** Grows by one with every change. */
  readonly revision: number
  /** What the starts of the entries are of. */
  readonly partition: Partition
  /** Ascending by `start`, the first of which is empty: each goes up to the start of the next. At least one. */
  readonly entries: readonly MapEntry[]
}

/** A stretch and its shard. */
export interface MapEntry {
  /** The first place of this shard: a key, or the four bytes of a hash. */
  readonly start: Uint8Array
  /** The shard that has the stretch; in no other entry. */
  readonly shard: ShardId
  /** Who has it, as clients find them: a name, an address; undefined: nobody. */
  readonly owner: string | undefined
  /** Grows by one whenever the owner changes. */
  readonly term: number
}

// Other than that of filters (0): the keys of one shard should not have filter hashes in common.
const PLACE_SEED = 0x6d61_7030
const HASH_BYTES = 4

/** What is looked up in the map for `key`: itself, or its XXH32, most significant byte first. */
export function placeOf(partition: Partition, key: Uint8Array): Uint8Array {
  return partition === 'range' ? key : hashPlace(hashKey(key, 0, key.length, PLACE_SEED))
}

/** `hash` as a place: places sort as hashes do. */
export function hashPlace(hash: number): Uint8Array {
  const place = new Uint8Array(HASH_BYTES)
  new DataView(place.buffer).setUint32(0, hash)
  return place
}

/** The entry that `key` belongs to. */
export function entryFor(map: ShardMap, key: Uint8Array): MapEntry {
  const place = placeOf(map.partition, key)
  let low = 1
  let high = map.entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareBytes((map.entries[middle] as MapEntry).start, place) <= 0) low = middle + 1
    else high = middle
  }
  return map.entries[low - 1] as MapEntry
}

/** The entries that keys from `lower` on and before `upper` belong to, in order; undefined: without a bound. */
export function entriesWithin(
  map: ShardMap,
  lower: Uint8Array | undefined,
  upper: Uint8Array | undefined,
): readonly MapEntry[] {
  // Keys that are next to each other have hashes that are not.
  if (map.partition === 'hash') return map.entries
  return map.entries.filter(({ start }, index) => {
    const next = map.entries[index + 1]?.start
    return (
      (upper === undefined || compareBytes(start, upper) < 0) &&
      (lower === undefined || next === undefined || compareBytes(next, lower) > 0)
    )
  })
}

/** The entry of `shard`; undefined: the map has none. */
export function entryOf(map: ShardMap, shard: ShardId): MapEntry | undefined {
  return map.entries.find((entry) => entry.shard === shard)
}
