/**
 * Point lookups: memtables newest first, then level 0 newest first, then one table of each deeper level.
 *
 * Synchronous over the bytes at hand. The first table that has the key answers, so a table that lacks bytes stops the
 * search: PENDING.
 */

import { PENDING } from '../../kernel/cursor.ts'
import type { Pending } from '../../kernel/cursor.ts'
import type { Found } from '../../kernel/found.ts'
import { hashKey } from '../../kernel/hash.ts'
import type { Seqno } from '../../kernel/ids.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import type { View } from '../../shard/version.ts'
import type { BlockFetch } from '../../sst/block-fetch.ts'
import { mayHold, tableFor } from './levels.ts'
import type { KvTable, Levels } from './levels.ts'

export type KvView = View<OrderedMemtable, Levels>

/** The newest entry of `key` at or below `seqno`: true when `into` has it (it may be a deletion). */
export function lookup(
  view: KvView,
  key: Uint8Array,
  seqno: Seqno,
  order: KeyOrder,
  into: Found,
  fetch: BlockFetch,
): boolean | Pending {
  return findInMemtables(view, key, seqno, into)
    ? true
    : findInTables(view, key, hashKey(key, 0, key.length, 0), seqno, order, into, fetch)
}

/** As `lookup`, of what is in memory only: nothing is lacking there. */
export function findInMemtables(view: KvView, key: Uint8Array, seqno: Seqno, into: Found): boolean {
  for (const table of view.tables) {
    if (table.get(key, seqno, into)) return true
  }
  return false
}

/** As `lookup`, below the memtables. @param keyHash `hashKey` of `key` with seed 0 */
export function findInTables(
  view: KvView,
  key: Uint8Array,
  keyHash: number,
  seqno: Seqno,
  order: KeyOrder,
  into: Found,
  fetch: BlockFetch,
): boolean | Pending {
  const { levels, runs } = view.version.shape
  for (const table of levels[0] as readonly KvTable[]) {
    if (!mayHold(table, key, order)) continue
    const answer = ask(table, key, keyHash, seqno, into, fetch)
    if (answer !== false) return answer
  }
  for (const run of runs) {
    const table = tableFor(run, key, order)
    if (table === undefined) continue
    const answer = ask(table, key, keyHash, seqno, into, fetch)
    if (answer !== false) return answer
  }
  return false
}

function ask(
  table: KvTable,
  key: Uint8Array,
  keyHash: number,
  seqno: Seqno,
  into: Found,
  fetch: BlockFetch,
): boolean | Pending {
  const reader = table.handle.reader(fetch)
  if (reader === PENDING) return PENDING
  const answer = reader.get(key, keyHash, seqno, into, fetch)
  // Others may open tables until it has what it lacks.
  if (answer === PENDING) table.handle.keepOpen(fetch)
  return answer
}
