/** A range of keys; without a bound it is open on that side. */

import type { KeyOrder } from './key-order.ts'

/**
 * What lies between two bounds. Empty where they are the wrong way round. The bytes must not change while it is used.
 */
export interface KeyRange {
  /** The least key. Default: none, from the first key on. */
  readonly lower?: Uint8Array
  /** The lower bound itself is outside. Default false. */
  readonly lowerOpen?: boolean
  /** The greatest key. Default: none, to the last key. */
  readonly upper?: Uint8Array
  /** The upper bound itself is outside. Default false. */
  readonly upperOpen?: boolean
}

/** True when no key can be inside. */
export function isEmptyRange(range: KeyRange, order: KeyOrder): boolean {
  if (range.lower === undefined || range.upper === undefined) return false
  const comparison = order.compare(range.lower, 0, range.lower.length, range.upper, 0, range.upper.length)
  return comparison > 0 || (comparison === 0 && (range.lowerOpen === true || range.upperOpen === true))
}

/** True when `key[start…limit)` is not before the range. */
export function isAtOrAfterLower(
  range: KeyRange,
  order: KeyOrder,
  key: Uint8Array,
  start: number,
  limit: number,
): boolean {
  const lower = range.lower
  if (lower === undefined) return true
  const comparison = order.compare(key, start, limit, lower, 0, lower.length)
  return range.lowerOpen === true ? comparison > 0 : comparison >= 0
}

/** True when `key[start…limit)` is not after the range. */
export function isAtOrBeforeUpper(
  range: KeyRange,
  order: KeyOrder,
  key: Uint8Array,
  start: number,
  limit: number,
): boolean {
  const upper = range.upper
  if (upper === undefined) return true
  const comparison = order.compare(key, start, limit, upper, 0, upper.length)
  return range.upperOpen === true ? comparison < 0 : comparison <= 0
}

/** True when [first, last] (both inside) and the range have a key in common. */
export function overlaps(range: KeyRange, order: KeyOrder, first: Uint8Array, last: Uint8Array): boolean {
  return isAtOrAfterLower(range, order, last, 0, last.length) && isAtOrBeforeUpper(range, order, first, 0, first.length)
}
