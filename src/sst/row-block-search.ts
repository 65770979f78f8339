/**
 * Searching a row block by its heads, the bytes of a key that tell most of them apart.
 *
 * A get waits for memory more than for anything else, so what is touched is counted in cache lines: one or two of the
 * heads, then those of the one entry that is found.
 */

import { compareRange, headOf } from '../kernel/bytes.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import type { KeyScratch } from './key-scratch.ts'
import type { RowBlock } from './row-block.ts'

/** `findInBlock`: no entry of the key in this block, nor in the next. */
export const ROW_ABSENT = -1
/** `findInBlock`: every entry of this block comes before; the next block may have it. */
export const ROW_BEYOND = -2

// How far to look around where a head is expected: within a cache line or two.
const GUESS_REACH = 8

/** Index of the first entry at or after (`key`, `seqno`) in the order of entries; `count` when all come before. */
export function searchBlock(block: RowBlock, key: Uint8Array, seqno: number): number {
  const bytes = block.bytes
  const prefixLength = block.prefixLength
  const shared = key.length < prefixLength ? key.length : prefixLength
  for (let index = 0; index < shared; index++) {
    const difference = (key[index] as number) - (bytes[block.prefixStart + index] as number)
    if (difference !== 0) return difference < 0 ? 0 : block.count
  }
  if (key.length < prefixLength) return 0
  const head = headOf(key, prefixLength, key.length)
  const low = headBound(block, head)
  if (low === block.count || block.headAt(low) !== head || !isBefore(block, low, key, seqno)) return low
  return searchTies(block, low + 1, head, key, seqno)
}

/** `searchBlock` for orders other than bytewise: heads mean nothing, keys are put together in `scratch`. */
export function searchBlockBy(
  block: RowBlock,
  order: KeyOrder,
  key: Uint8Array,
  seqno: number,
  scratch: KeyScratch,
): number {
  let low = 0
  let high = block.count
  while (low < high) {
    const middle = (low + high) >>> 1
    const length = block.keyInto(middle, scratch)
    const comparison = order.compare(scratch.bytes, 0, length, key, 0, key.length)
    if (comparison < 0 || (comparison === 0 && block.seqnoAt(middle) > seqno)) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the newest entry of `key` at or below `seqno`, ROW_ABSENT or ROW_BEYOND. */
export function findInBlock(block: RowBlock, key: Uint8Array, seqno: number): number {
  const prefixLength = block.prefixLength
  if (key.length < prefixLength) return ROW_ABSENT
  const head = headOf(key, prefixLength, key.length)
  let low = headBound(block, head)
  if (low === block.count) return ROW_BEYOND
  if (block.headAt(low) !== head) return ROW_ABSENT
  let comparison = compareTie(block, low, key)
  if (comparison < 0 || (comparison === 0 && block.seqnoAt(low) > seqno)) {
    low = searchTies(block, low + 1, head, key, seqno)
    if (low === block.count) return ROW_BEYOND
    if (block.headAt(low) !== head) return ROW_ABSENT
    comparison = compareTie(block, low, key)
  }
  // A key without the prefix was searched for in vain, which is found out here, where its bytes are needed.
  return comparison === 0 && hasPrefix(block, key) ? low : ROW_ABSENT
}

/** `findInBlock` for orders other than bytewise. */
export function findInBlockBy(
  block: RowBlock,
  order: KeyOrder,
  key: Uint8Array,
  seqno: number,
  scratch: KeyScratch,
): number {
  const index = searchBlockBy(block, order, key, seqno, scratch)
  if (index === block.count) return ROW_BEYOND
  return isKeyAt(block, index, key) ? index : ROW_ABSENT
}

/** True when entry `index` has the key `key`. */
export function isKeyAt(block: RowBlock, index: number, key: Uint8Array): boolean {
  const prefixLength = block.prefixLength
  if (key.length < prefixLength || block.headAt(index) !== headOf(key, prefixLength, key.length)) return false
  return compareTie(block, index, key) === 0 && hasPrefix(block, key)
}

/** True when entries `a` and `b` of this block have the same key. */
export function isSameKey(block: RowBlock, a: number, b: number): boolean {
  if (block.headAt(a) !== block.headAt(b)) return false
  const aStart = block.keyRestAt(a)
  const aLimit = block.keyRestAt(a + 1)
  const bStart = block.keyRestAt(b)
  const bLimit = block.keyRestAt(b + 1)
  if (aLimit - aStart !== bLimit - bStart) return false
  if (aLimit === aStart) return block.padAt(a) === block.padAt(b)
  return compareRange(block.bytes, aStart, aLimit, block.bytes, bStart, bLimit) === 0
}

/**
 * Index of the first head at or above `head`; `count` when there is none.
 *
 * Begins where it would be if heads were spread evenly, as those of hashes and random keys are: then a look around there
 * replaces a binary search through all cache lines of the column.
 */
function headBound(block: RowBlock, head: number): number {
  const { view, headsAt } = block
  let low = 0
  let high = block.count
  const span = block.headSpan
  const over = (head >>> 1) - block.headFirst
  if (over >= 0 && over < span) {
    const guess = ((over * (high - 1)) / span) | 0
    if (view.getUint32(headsAt + guess * 4, true) < head) {
      low = guess + 1
      const near = low + GUESS_REACH
      if (near < high && view.getUint32(headsAt + near * 4, true) >= head) high = near
    } else {
      high = guess
      const near = guess - GUESS_REACH
      if (near >= 0 && view.getUint32(headsAt + near * 4, true) < head) low = near + 1
    }
  }
  while (low < high) {
    const middle = (low + high) >>> 1
    if (view.getUint32(headsAt + middle * 4, true) < head) low = middle + 1
    else high = middle
  }
  return low
}

/** For a key at least as long as the prefix. */
function hasPrefix(block: RowBlock, key: Uint8Array): boolean {
  const length = block.prefixLength
  if ((headOf(key, 0, length) | 0) !== block.prefixHead) return false
  const bytes = block.bytes
  const start = block.prefixStart
  for (let index = length - 1; index >= 4; index--) if (bytes[start + index] !== key[index]) return false
  return true
}

function searchTies(block: RowBlock, low: number, head: number, key: Uint8Array, seqno: number): number {
  let high = block.count
  while (low < high) {
    const middle = (low + high) >>> 1
    const found = block.headAt(middle)
    if (found < head || (found === head && isBefore(block, middle, key, seqno))) low = middle + 1
    else high = middle
  }
  return low
}

/** For an entry with the head of `key`: true when it comes before (`key`, `seqno`). */
function isBefore(block: RowBlock, index: number, key: Uint8Array, seqno: number): boolean {
  const comparison = compareTie(block, index, key)
  return comparison < 0 || (comparison === 0 && block.seqnoAt(index) > seqno)
}

/** Compares entry `index` with `key`, given that prefix and head are equal. */
function compareTie(block: RowBlock, index: number, key: Uint8Array): number {
  const start = block.keyRestAt(index)
  const limit = block.keyRestAt(index + 1)
  const keyRest = block.prefixLength + 4
  if (limit > start && key.length > keyRest) return compareRange(block.bytes, start, limit, key, keyRest, key.length)
  // One of the two ends within its head. With equal heads it is the other's prefix, so that the shorter comes first.
  return (limit > start ? 4 + limit - start : 4 - block.padAt(index)) - (key.length - block.prefixLength)
}
