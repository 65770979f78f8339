/**
 * Bounds as compaction policies want them: both inside, so that what one file has first can be compared with what another
 * has last.
 *
 *      range       first      last
 *      [a, b]      a          b
 *      [a, b)      a          just before b
 *      (a, b]      just after a    b
 *
 * Points are keys and what is just before and just after each of them; two ranges have a point in common exactly where
 * they could have a key in common.
 */

import type { KeyCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'

/** A key, or what is just beside it. */
export interface KeyPoint {
  /** Empty where `place` is −2 or 2. */
  readonly key: Uint8Array
  /** −1: just before the key, 0: the key, 1: just after it; −2 and 2: before and after all keys. */
  readonly place: number
}

/** The first point of a range that begins at `lower`. */
export function firstPoint({ key, side }: KeyCut): KeyPoint {
  return { key, place: side === -1 ? 0 : side }
}

/** The last point of a range that ends at `upper`. */
export function lastPoint({ key, side }: KeyCut): KeyPoint {
  return { key, place: side === 1 ? 0 : side }
}

/** Negative, 0 or positive. */
export function comparePoints(order: KeyOrder, a: KeyPoint, b: KeyPoint): number {
  if (a.place === 2 || a.place === -2 || b.place === 2 || b.place === -2) return endOf(a.place) - endOf(b.place)
  const comparison = order.compare(a.key, 0, a.key.length, b.key, 0, b.key.length)
  return comparison === 0 ? a.place - b.place : comparison
}

function endOf(place: number): number {
  return place === 2 ? 1 : place === -2 ? -1 : 0
}
