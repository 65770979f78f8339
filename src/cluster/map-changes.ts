/**
 * Changes of a shard map, as pure functions: a map and what to change, to the next map.
 *
 * Asked for again after it has been made, a change gives the map it was given: so a change whose answer was lost can
 * simply be made once more.
 */

import { compareBytes } from '../kernel/bytes.ts'
import { VarveError } from '../kernel/errors.ts'
import type { ShardId } from '../kernel/ids.ts'
import { entryOf, hashPlace } from './shard-map.ts'
import type { MapEntry, ShardMap } from './shard-map.ts'

const HASHES = 2 ** 32

/** A shard and where it begins. */
export interface Stretch {
  /** Which shard begins there. */
  readonly shard: ShardId
  /** Left out of the first. */
  readonly start?: Uint8Array
}

/** A map of ranges of keys: from each start up to the next. @throws {RangeError} starts do not ascend, ids repeat */
export function rangeMap(stretches: readonly Stretch[]): ShardMap {
  const entries = stretches.map(({ shard, start }) => unowned(shard, new Uint8Array(start ?? [])))
  return checked({ revision: 1, partition: 'range', entries })
}

/**
 * A map that divides hashes of keys evenly. Its shards are moved whole, never split or merged: name several, eight say, for
 * each node that there may ever be.
 */
export function hashMap(shards: readonly ShardId[]): ShardMap {
  const entries = shards.map((shard, index) =>
    unowned(shard, index === 0 ? new Uint8Array(0) : hashPlace(Math.floor((index * HASHES) / shards.length))),
  )
  return checked({ revision: 1, partition: 'hash', entries })
}

/**
 * Gives `shard` to `owner`; undefined: to nobody.
 *
 * @param term of the entry that the caller has seen; undefined: whoever has it
 * @throws {VarveError} NOT_FOUND — the map has no such shard; HEAD_CONFLICT — it has changed hands since `term`: perhaps
 *   to `owner`, and away again, while an answer was lost
 */
export function assign(map: ShardMap, shard: ShardId, owner: string | undefined, term?: number): ShardMap {
  const found = mustFind(map, shard)
  const done = found.owner === owner && (term === undefined || found.term === term || found.term === term + 1)
  if (done) return map
  if (term !== undefined && found.term !== term) {
    throw new VarveError('HEAD_CONFLICT', `shard ${shard} has changed hands: term ${found.term}, expected ${term}`, {
      details: { expected: term, found: found.term },
    })
  }
  return next(map, (entry) => (entry === found ? [{ ...found, owner, term: found.term + 1 }] : [entry]))
}

/** Gives shards to the owners that `placement` names, in one change. Those it does not name stay. */
export function assignAll(map: ShardMap, placement: ReadonlyMap<string, string>): ShardMap {
  const moves = (entry: MapEntry): boolean => {
    const owner = placement.get(entry.shard)
    return owner !== undefined && owner !== entry.owner
  }
  if (!map.entries.some(moves)) return map
  return next(map, (entry) =>
    moves(entry) ? [{ ...entry, owner: placement.get(entry.shard), term: entry.term + 1 }] : [entry],
  )
}

/**
 * Replaces shards that follow each other by others that divide the same stretch: what a split and a merge of shards has
 * made true already. The owner of the first has them all.
 *
 * @param successors the first begins where the first of `shards` does; the others where they say
 * @throws {VarveError} NOT_FOUND — the map has neither the one nor the other
 * @throws {VarveError} UNSUPPORTED — a map of hashes: its shards are moved whole, see docs/decisions/0018
 * @throws {RangeError} not next to each other, or a start outside of the stretch
 */
export function replaceShards(map: ShardMap, shards: readonly ShardId[], successors: readonly Stretch[]): ShardMap {
  if (successors.length === 0) throw new RangeError('there must be a successor')
  if (successors.every(({ shard }) => entryOf(map, shard) !== undefined)) return map
  if (map.partition === 'hash') throw hashesUndivided()
  const first = map.entries.findIndex(({ shard }) => shard === shards[0])
  const former = map.entries.slice(first, first + shards.length)
  if (first < 0 || former.some(({ shard }, index) => shard !== shards[index])) {
    for (const shard of shards) mustFind(map, shard)
    throw new RangeError('shards that are replaced must follow each other')
  }
  const [{ start, owner }] = former as [MapEntry, ...MapEntry[]]
  const limit = map.entries[first + shards.length]?.start
  const made = successors.map(({ shard, start: own }, index): MapEntry => {
    const begins = index === 0 ? start : new Uint8Array(own ?? [])
    if (limit !== undefined && compareBytes(begins, limit) >= 0)
      throw new RangeError('a successor begins outside of what is replaced')
    return { start: begins, shard, owner, term: 1 }
  })
  return next(map, (entry) => (entry === former[0] ? made : former.includes(entry) ? [] : [entry]))
}

// Keys of one stretch of hashes lie all over a table, and what a shard sees of one it shares is what is between two cuts.
function hashesUndivided(): VarveError {
  return new VarveError(
    'UNSUPPORTED',
    'shards of a map of hashes are not split or merged: begin with several for each node, and move whole shards',
    { details: { capability: 'split of hashes' } },
  )
}

function unowned(shard: ShardId, start: Uint8Array): MapEntry {
  return { start, shard, owner: undefined, term: 0 }
}

function mustFind(map: ShardMap, shard: ShardId): MapEntry {
  const found = entryOf(map, shard)
  if (found !== undefined) return found
  throw new VarveError('NOT_FOUND', `the map has no shard ${shard}`, { details: { name: shard } })
}

function next(map: ShardMap, change: (entry: MapEntry) => readonly MapEntry[]): ShardMap {
  return checked({ ...map, revision: map.revision + 1, entries: map.entries.flatMap(change) })
}

/** @throws {RangeError} it is no division, or names a shard twice */
export function checked(map: ShardMap): ShardMap {
  const { entries } = map
  if (entries[0]?.start.length !== 0) throw new RangeError('the first shard must begin before all keys')
  const ids = new Set<string>()
  for (const [index, { shard, start }] of entries.entries()) {
    const before = entries[index - 1]
    if (before !== undefined && compareBytes(before.start, start) >= 0)
      throw new RangeError(`shard ${shard} begins before the one in front of it ends`)
    if (ids.has(shard)) throw new RangeError(`shard ${shard} is there twice`)
    ids.add(shard)
  }
  return Object.freeze({ ...map, entries: Object.freeze(entries.map((entry) => Object.freeze(entry))) })
}
