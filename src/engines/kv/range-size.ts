/** How many bytes a range of keys takes: an estimate from indexes, without reading data. */

import { PENDING } from '../../kernel/cursor.ts'
import { rangeBetween } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { overlaps } from '../../kernel/key-range.ts'
import type { KeyRange } from '../../kernel/key-range.ts'
import { BlockFetch } from '../../sst/block-fetch.ts'
import type { KvTable } from './levels.ts'
import type { KvView } from './lookup.ts'

/** Bytes of `range` in memtables and tables of `view`, which the caller has pinned. */
export async function approximateBytes(view: KvView, range: KeyRange, order: KeyOrder): Promise<number> {
  let bytes = 0
  for (const table of view.tables) bytes += table.approximateBytes(range)
  for (const table of view.version.shape.levels.flat()) {
    const { entryCount, keyFirst, keyLast } = table.meta
    if (entryCount > 0 && overlaps(range, order, keyFirst, keyLast)) {
      const seen = table.view
      bytes += await tableBytes(table, seen === undefined ? range : rangeBetween(range, order, seen.lower, seen.upper))
    }
  }
  return bytes
}

async function tableBytes(table: KvTable, range: KeyRange): Promise<number> {
  const fetch = new BlockFetch()
  try {
    for (;;) {
      const reader = table.handle.reader(fetch)
      const answer = reader === PENDING ? PENDING : reader.approximateBytes(range, fetch)
      if (answer !== PENDING) return answer
      if (reader !== PENDING) table.handle.keepOpen(fetch)
      await fetch.fill()
    }
  } finally {
    fetch.clear()
  }
}
