/** Which blocks of a table a range touches, and how many of them to read at once. */

import type { KeyRange } from '../kernel/key-range.ts'
import type { RowIndex } from './row-index.ts'

/** Blocks [first, limit) that may have keys in `range`, which is not empty. */
export function blockSpan(index: RowIndex, range: KeyRange): { readonly first: number; readonly limit: number } {
  const { lower, upper } = range
  const first = lower === undefined ? 0 : range.lowerOpen === true ? index.upperBound(lower) : index.lowerBound(lower)
  const last =
    upper === undefined
      ? index.blockCount
      : range.upperOpen === true
        ? index.lowerBound(upper)
        : index.upperBound(upper)
  // The block whose separator is past the upper bound may begin before it.
  return { first, limit: Math.max(first, Math.min(index.blockCount, last + 1)) }
}

/**
 * Blocks [first, limit) around `wanted` to read in one piece: it, and its successors (predecessors, when `step` is −1) as
 * far as they stay within `bytes` and `edge`, the last block of interest.
 */
export function readAheadSpan(
  index: RowIndex,
  wanted: number,
  edge: number,
  step: 1 | -1,
  bytes: number,
): { readonly first: number; readonly limit: number } {
  let first = wanted
  let limit = wanted + 1
  const offsets = index.offsets
  if (step === 1) {
    while (limit <= edge && (offsets[limit + 1] as number) - (offsets[first] as number) <= bytes) limit++
  } else {
    while (first > edge && (offsets[limit] as number) - (offsets[first - 1] as number) <= bytes) first--
  }
  return { first, limit }
}
