/** One of the cursors of a merge, with the batch it fills. */

import { PENDING } from './cursor.ts'
import type { Cursor, Pending } from './cursor.ts'
import type { EntryBatch } from './entry-batch.ts'
import type { KeyOrder } from './key-order.ts'

// A short scan must not read a full batch from every source, of which most give it nothing: the first is small, and each that
// follows four times as large, but none larger than what the caller has room for.
const FIRST_COUNT = 8
const GROWTH = 4
// A batch costs a call: so many are worth one though the caller has room for less.
const WANTED_MIN = 16

export class MergeSource {
  readonly cursor: Cursor
  readonly batch: EntryBatch
  /** Of the current entry in `batch`. */
  index = 0
  count = 0
  /** It answered PENDING and has not been filled since. */
  pending = false
  #reach = FIRST_COUNT

  constructor(cursor: Cursor, batch: EntryBatch) {
    this.cursor = cursor
    this.batch = batch
  }

  /** Fetches the next batch, for a caller that has room for `wanted` entries. False at the end. */
  advance(wanted: number): boolean | Pending {
    this.batch.limitTo(Math.min(this.#reach, Math.max(wanted, WANTED_MIN)))
    const count = this.cursor.next(this.batch)
    this.pending = count === PENDING
    if (count === PENDING) return PENDING
    if (this.#reach < this.batch.capacityMax) this.#reach *= GROWTH
    this.index = 0
    this.count = count
    return count !== 0
  }

  /**
   * Order of the key of entry `index` and that of the current one of `other`; their heads tie.
   *
   * @param order undefined: bytewise
   */
  compareTails(index: number, other: MergeSource, order: KeyOrder | undefined): number {
    const { batch } = this
    const start = batch.keyStarts[index] as number
    const limit = batch.keyStarts[index + 1] as number
    const otherBatch = other.batch
    const otherStart = otherBatch.keyStarts[other.index] as number
    const otherLimit = otherBatch.keyStarts[other.index + 1] as number
    return order === undefined
      ? compareAfterHead(batch.keyView, start, limit, otherBatch.keyView, otherStart, otherLimit)
      : order.compare(batch.keys, start, limit, otherBatch.keys, otherStart, otherLimit)
  }
}

/** Bytewise order of two keys whose heads tie. */
function compareAfterHead(
  a: DataView,
  aStart: number,
  aLimit: number,
  b: DataView,
  bStart: number,
  bLimit: number,
): number {
  const aLength = aLimit - aStart
  const bLength = bLimit - bStart
  const shared = aLength < bLength ? aLength : bLength
  let at = 4
  for (; at + 4 <= shared; at += 4) {
    const difference = a.getUint32(aStart + at) - b.getUint32(bStart + at)
    if (difference !== 0) return difference
  }
  for (; at < shared; at++) {
    const difference = a.getUint8(aStart + at) - b.getUint8(bStart + at)
    if (difference !== 0) return difference
  }
  // Of keys shorter than a head the rest was padding: here too the prefix comes first.
  return aLength - bLength
}
