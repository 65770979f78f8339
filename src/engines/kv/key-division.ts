/**
 * Dividing the keys of a compaction among jobs that run at the same time.
 *
 *      inputs     ├──·──·──·──┤  ├──·──┤         · sampled keys: between two of them lie about as many bytes
 *                    ├──·──┤├──·──·──┤
 *      cuts             │        │
 *      jobs       0     │   1    │   2
 *
 * Only what the manifest has of the inputs is looked at: their bounds, their bytes and a few of their keys. RocksDB calls
 * such jobs subcompactions; it too takes boundaries of files and blocks (GenSubcompactionBoundaries).
 */

import { compareCuts, cutBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { TableMeta } from './table-meta.ts'

/** A table to divide. */
export interface PartTable {
  readonly bytes: number
  readonly meta: Pick<TableMeta, 'lower' | 'upper' | 'samples'>
}

// As many as there are workers, and then no more until parts have become this many times as large: a job that takes long
// keeps a flush waiting.
const PARTS_MIN = 4
const PART_GROWTH = 4

/**
 * Ascending cuts that divide what lies within the bounds of `tables` into parts of about the same size, `partBytes` or a
 * few times as much.
 */
export function divideKeys(tables: readonly PartTable[], order: KeyOrder, partBytes: number): readonly KeyCut[] {
  const total = tables.reduce((sum, { bytes }) => sum + bytes, 0)
  const wanted = Math.floor(total / partBytes)
  const parts = wanted < PARTS_MIN ? wanted : Math.max(PARTS_MIN, Math.ceil(wanted / PART_GROWTH))
  if (parts < 2) return []
  const places = tables.flatMap(placesOf).sort((a, b) => compareCuts(order, a.cut, b.cut))
  // Nothing lies beyond the last place, so a cut there would make an empty part.
  const end = places.at(-1) as Place
  const cuts: KeyCut[] = []
  let before = 0
  for (const { cut, bytes } of places) {
    if (compareCuts(order, cut, end.cut) === 0) break
    before += bytes
    if (before < (total * (cuts.length + 1)) / parts) continue
    const last = cuts.at(-1)
    if (last === undefined || compareCuts(order, last, cut) < 0) cuts.push(cut)
    if (cuts.length === parts - 1) break
  }
  return cuts
}

/** Where a stretch of about `bytes` of one table ends. */
interface Place {
  readonly cut: KeyCut
  readonly bytes: number
}

function placesOf({ bytes, meta: { upper, samples } }: PartTable): readonly Place[] {
  const cuts = [...samples.map(cutBefore), upper]
  return cuts.map((cut) => ({ cut, bytes: bytes / cuts.length }))
}
