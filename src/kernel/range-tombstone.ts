/** Range tombstones: one deletion for all keys between two cuts. */

import { AssertionError } from './assert.ts'
import { Decoder } from './codec.ts'
import type { Encoder } from './codec.ts'
import { AFTER_ALL, BEFORE_ALL, compareCuts, decodeCut, encodeCut, isAfterCut } from './key-cut.ts'
import type { KeyCut } from './key-cut.ts'
import type { KeyOrder } from './key-order.ts'

/** Hides every entry between `lower` and `upper` whose seqno is below its own. */
export interface RangeTombstone {
  /** Where it begins. */
  readonly lower: KeyCut
  /** Where it ends, after `lower`. */
  readonly upper: KeyCut
  /** Its place in the order of writes; an integer, 1 … 2^53 − 1. */
  readonly seqno: number
}

/** Where one answer holds: between `lower` and `upper` the newest tombstone that is visible is that of `seqno`; 0: none. */
export interface RangeStretch {
  /** Where the answer begins to hold. */
  lower: KeyCut
  /** Where it ceases to. */
  upper: KeyCut
  /** Of the newest visible tombstone in between; 0: none. */
  seqno: number
}

/** The range tombstones of one source: a memtable, a table. */
export interface RangeTombstones {
  /** Tombstones at all seqnos. 0: nothing is covered, and nothing else needs to be asked. */
  readonly count: number
  /** Seqno of the newest tombstone at or below `seqno` that covers `key[start…limit)`; 0: there is none. */
  newest(key: Uint8Array, start: number, limit: number, seqno: number): number
  /** As `newest`; narrows `into`, which holds the key, to where the answer stays the same, and sets its seqno. */
  stretch(key: Uint8Array, start: number, limit: number, seqno: number, into: RangeStretch): void
  /** All of them, in no particular order; may be in pieces that share a seqno. */
  list(): readonly RangeTombstone[]
}

/** Everything, covered by nothing: what `stretch` narrows. */
export function wholeStretch(): RangeStretch {
  return { lower: BEFORE_ALL, upper: AFTER_ALL, seqno: 0 }
}

/** Makes `into` everything again. */
export function resetStretch(into: RangeStretch): void {
  into.lower = BEFORE_ALL
  into.upper = AFTER_ALL
  into.seqno = 0
}

export function raiseLower(into: RangeStretch, order: KeyOrder, cut: KeyCut): void {
  if (compareCuts(order, cut, into.lower) > 0) into.lower = cut
}

export function reduceUpper(into: RangeStretch, order: KeyOrder, cut: KeyCut): void {
  if (compareCuts(order, cut, into.upper) < 0) into.upper = cut
}

/** True when `key[start…limit)` is between the two cuts. */
export function isBetween(
  { lower, upper }: Pick<RangeStretch, 'lower' | 'upper'>,
  order: KeyOrder,
  key: Uint8Array,
  start: number,
  limit: number,
): boolean {
  return isAfterCut(order, key, start, limit, lower) && !isAfterCut(order, key, start, limit, upper)
}

export function encodeTombstone(encoder: Encoder, { lower, upper, seqno }: RangeTombstone): void {
  encoder.varint(seqno)
  encodeCut(encoder, lower)
  encodeCut(encoder, upper)
}

/** What `encodeTombstone` has written, one after the other. Keys are views of `bytes`. */
export function decodeTombstones(bytes: Uint8Array): RangeTombstone[] {
  const decoder = new Decoder(bytes, (reason) => {
    throw new AssertionError(`range tombstones of another thread: ${reason}`)
  })
  const tombstones: RangeTombstone[] = []
  while (decoder.remaining > 0) {
    const seqno = decoder.varint()
    tombstones.push({ seqno, lower: decodeCut(decoder), upper: decodeCut(decoder) })
  }
  return tombstones
}
