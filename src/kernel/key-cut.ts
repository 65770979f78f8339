/**
 * Cuts: places between keys.
 *
 *      before all │ … │ before a │ a │ after a │ … │ before c │ c │ … │ after all
 *
 * Whatever its bounds are — open, closed, absent — a range of keys is what lies between two cuts, in every order of keys:
 * half-open, without a key that follows another, which only the bytewise order knows.
 */

import type { Decoder, Encoder } from './codec.ts'
import type { KeyOrder } from './key-order.ts'
import type { KeyRange } from './key-range.ts'

/** −1: just before the key; 1: just after it; −2, 2: before and after all keys, and the key, empty, says nothing. */
export type CutSide = -2 | -1 | 1 | 2

/** A place between keys. Immutable: the bytes of `key` must not change. */
export interface KeyCut {
  /** Empty where `side` is −2 or 2. */
  readonly key: Uint8Array
  /** On which side of `key`. */
  readonly side: CutSide
}

const NO_KEY = new Uint8Array(0)
/** Side 0 is none. */
const SIDES: readonly number[] = [-2, -1, 1, 2]

/** In front of every key, the empty one too. */
export const BEFORE_ALL: KeyCut = Object.freeze({ key: NO_KEY, side: -2 })
/** Behind every key. */
export const AFTER_ALL: KeyCut = Object.freeze({ key: NO_KEY, side: 2 })

/** In front of `key`, which is kept and not copied. */
export function cutBefore(key: Uint8Array): KeyCut {
  return { key, side: -1 }
}

/** Behind `key`, which is kept and not copied. */
export function cutAfter(key: Uint8Array): KeyCut {
  return { key, side: 1 }
}

/** Where `range` begins. */
export function lowerCut({ lower, lowerOpen }: KeyRange): KeyCut {
  if (lower === undefined) return BEFORE_ALL
  return lowerOpen === true ? cutAfter(lower) : cutBefore(lower)
}

/** Where `range` ends. */
export function upperCut({ upper, upperOpen }: KeyRange): KeyCut {
  if (upper === undefined) return AFTER_ALL
  return upperOpen === true ? cutBefore(upper) : cutAfter(upper)
}

/** `range` without what is before `cut`, which is inside it and not after all keys. */
export function rangeAfter(range: KeyRange, cut: KeyCut): KeyRange {
  return cut.side === -2 ? range : { ...range, lower: cut.key, lowerOpen: cut.side === 1 }
}

/** `range` without what is after `cut`, which is inside it and not before all keys. */
export function rangeBefore(range: KeyRange, cut: KeyCut): KeyRange {
  return cut.side === 2 ? range : { ...range, upper: cut.key, upperOpen: cut.side === -1 }
}

/** What `range` has between two cuts; an empty range where that is nothing. */
export function rangeBetween(range: KeyRange, order: KeyOrder, lower: KeyCut, upper: KeyCut): KeyRange {
  const first = laterCut(order, lowerCut(range), lower)
  const limit = earlierCut(order, upperCut(range), upper)
  if (compareCuts(order, first, limit) < 0) return rangeBefore(rangeAfter({}, first), limit)
  return { lower: NO_KEY, lowerOpen: true, upper: NO_KEY, upperOpen: true }
}

/** Negative, 0 or positive. */
export function compareCuts(order: KeyOrder, a: KeyCut, b: KeyCut): number {
  const ends = endOf(a) - endOf(b)
  if (ends !== 0 || endOf(a) !== 0) return ends
  const comparison = order.compare(a.key, 0, a.key.length, b.key, 0, b.key.length)
  return comparison === 0 ? a.side - b.side : comparison
}

export function laterCut(order: KeyOrder, a: KeyCut, b: KeyCut): KeyCut {
  return compareCuts(order, a, b) >= 0 ? a : b
}

export function earlierCut(order: KeyOrder, a: KeyCut, b: KeyCut): KeyCut {
  return compareCuts(order, a, b) <= 0 ? a : b
}

/** True when `key[start…limit)` is after `cut`; before it otherwise. */
export function isAfterCut(order: KeyOrder, key: Uint8Array, start: number, limit: number, cut: KeyCut): boolean {
  const side = cut.side
  if (side === 2) return false
  if (side === -2) return true
  const comparison = order.compare(key, start, limit, cut.key, 0, cut.key.length)
  return comparison === 0 ? side === -1 : comparison > 0
}

/** Index of the last of `cuts`, which ascend, that `key[start…limit)` is after, or −1. */
export function lastCutBefore(
  cuts: readonly KeyCut[],
  order: KeyOrder,
  key: Uint8Array,
  start: number,
  limit: number,
): number {
  let low = 0
  let high = cuts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isAfterCut(order, key, start, limit, cuts[middle] as KeyCut)) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** A cut whose key is its own. */
export function copyCut({ key, side }: KeyCut): KeyCut {
  return { key: new Uint8Array(key), side }
}

/** side + 2 as u8, then the key with its length, where there is one. */
export function encodeCut(encoder: Encoder, cut: KeyCut): void {
  encoder.u8(cut.side + 2)
  if (endOf(cut) === 0) encoder.bytes(cut.key)
}

/** The key is a view of what is decoded. */
export function decodeCut(decoder: Decoder): KeyCut {
  const side = decodeSide(decoder)
  if (side === -2) return BEFORE_ALL
  if (side === 2) return AFTER_ALL
  return { key: decoder.bytes(), side }
}

export function decodeSide(decoder: Decoder): CutSide {
  const side = decoder.u8() - 2
  return SIDES.includes(side) ? (side as CutSide) : decoder.fail('unknown side of a cut')
}

/** −1: before all keys, 1: after all keys, 0: at a key. */
function endOf({ side }: KeyCut): number {
  return side === 2 ? 1 : side === -2 ? -1 : 0
}
