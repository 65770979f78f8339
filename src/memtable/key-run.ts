/**
 * A few thousand records in key order, sorted without moving them.
 *
 * Of every key the eight bytes after what all keys begin with are taken out as two numbers, and those are sorted by
 * radix; records are looked at again only where all eight are the same.
 */

import { headOf } from '../kernel/bytes.ts'
import { compareRecords } from './record-keys.ts'
import type { Tree } from './tree.ts'

// Arrays of a run fit in the second-level cache, and putting it in order holds the thread for about a millisecond, a few
// where every step compares whole keys.
export const RUN_RECORDS_MAX = 8192
/** Bytes of a key that a run has at hand. */
export const RUN_HEAD_BYTES = 8

const DIGITS = 8
const BYTE_VALUES = 256

export interface KeyRun {
  readonly count: number
  /** In order of their keys; records of one key in order of arrival. */
  readonly records: Uint32Array
  /**
   * Of the key of each record, the four bytes after what all keys begin with, and the four after those. As `headOf`; 0
   * where the order is not bytewise.
   */
  readonly heads: Uint32Array
  readonly tails: Uint32Array
}

function takeHeads(
  tree: Tree,
  records: Uint32Array,
  count: number,
  sharedBytes: number,
  heads: Uint32Array,
  tails: Uint32Array,
): void {
  if (!tree.bytewise) return
  for (let index = 0; index < count; index++) {
    const record = records[index] as number
    const bytes = tree.chunkBytes(record)
    const start = tree.keyStart(record)
    const limit = start + tree.keyLength(record)
    heads[index] = headOf(bytes, start + sharedBytes, limit)
    tails[index] = headOf(bytes, start + sharedBytes + 4, limit)
  }
}

/** Makes runs; what it needs beside them is reused, and has room for the longest run so far. */
export class RunSorter {
  readonly #tree: Tree
  readonly #counts = new Uint32Array(BYTE_VALUES)
  #heads = new Uint32Array(0)
  #tails = new Uint32Array(0)
  #spare = new Uint32Array(0)
  #places = new Uint16Array(0)
  #placesNext = new Uint16Array(0)

  constructor(tree: Tree) {
    this.#tree = tree
  }

  /** @param arrived `count` records in order of arrival; borrowed */
  sort(arrived: Uint32Array, count: number, sharedBytes: number): KeyRun {
    this.#reserve(count)
    takeHeads(this.#tree, arrived, count, sharedBytes, this.#heads, this.#tails)
    const places = this.#inOrder(count)
    const records = new Uint32Array(count)
    const heads = new Uint32Array(count)
    const tails = new Uint32Array(count)
    for (let index = 0; index < count; index++) {
      const place = places[index] as number
      records[index] = arrived[place] as number
      heads[index] = this.#heads[place] as number
      tails[index] = this.#tails[place] as number
    }
    const run: KeyRun = { count, records, heads, tails }
    this.#sortTies(run, sharedBytes + RUN_HEAD_BYTES)
    return run
  }

  #reserve(count: number): void {
    if (count <= this.#heads.length) return
    this.#heads = new Uint32Array(count)
    this.#tails = new Uint32Array(count)
    this.#spare = new Uint32Array(count)
    this.#places = new Uint16Array(count)
    this.#placesNext = new Uint16Array(count)
  }

  /** Where each record is, in order of heads and then of arrival. */
  #inOrder(count: number): Uint16Array {
    const places = this.#places
    let ascending = true
    for (let index = 0; index < count; index++) {
      places[index] = index
      if (index > 0 && ascending) ascending = this.#isAtOrAfter(index, index - 1)
    }
    if (!ascending) {
      for (let digit = 0; digit < DIGITS; digit++) {
        this.#sortBy(digit < 4 ? this.#tails : this.#heads, (digit & 3) << 3, count)
      }
    }
    return this.#places
  }

  #isAtOrAfter(index: number, other: number): boolean {
    const head = this.#heads[index] as number
    const otherHead = this.#heads[other] as number
    return head > otherHead || (head === otherHead && (this.#tails[index] as number) >= (this.#tails[other] as number))
  }

  /** One pass of a radix sort from the least digit on: keeps the order of what has the same digit. */
  #sortBy(words: Uint32Array, shift: number, count: number): void {
    const counts = this.#counts.fill(0)
    for (let index = 0; index < count; index++) {
      const digit = ((words[index] as number) >>> shift) & 0xff
      counts[digit] = (counts[digit] as number) + 1
    }
    if (counts[((words[0] as number) >>> shift) & 0xff] === count) return
    let start = 0
    for (let digit = 0; digit < BYTE_VALUES; digit++) {
      const size = counts[digit] as number
      counts[digit] = start
      start += size
    }
    const source = this.#places
    const target = this.#placesNext
    for (let index = 0; index < count; index++) {
      const place = source[index] as number
      const digit = ((words[place] as number) >>> shift) & 0xff
      const at = counts[digit] as number
      counts[digit] = at + 1
      target[at] = place
    }
    this.#places = target
    this.#placesNext = source
  }

  /** Puts in order what heads do not tell apart. */
  #sortTies({ records, heads, tails, count }: KeyRun, sharedBytes: number): void {
    for (let start = 0; start < count;) {
      let limit = start + 1
      while (limit < count && heads[limit] === heads[start] && tails[limit] === tails[start]) limit++
      if (limit - start > 1) this.#mergeSort(records, start, limit, sharedBytes)
      start = limit
    }
  }

  #mergeSort(records: Uint32Array, start: number, limit: number, sharedBytes: number): void {
    if (limit - start < 2) return
    const tree = this.#tree
    const middle = (start + limit) >>> 1
    this.#mergeSort(records, start, middle, sharedBytes)
    this.#mergeSort(records, middle, limit, sharedBytes)
    // In order already, as versions of one key and what was loaded in order are.
    if (compareRecords(tree, records[middle - 1] as number, records[middle] as number, sharedBytes) <= 0) return
    const left = this.#spare
    left.set(records.subarray(start, middle))
    const leftCount = middle - start
    let at = start
    let leftAt = 0
    for (let rightAt = middle; leftAt < leftCount && rightAt < limit; at++) {
      const fromLeft = compareRecords(tree, left[leftAt] as number, records[rightAt] as number, sharedBytes) <= 0
      records[at] = (fromLeft ? left[leftAt++] : records[rightAt++]) as number
    }
    for (; leftAt < leftCount; leftAt++, at++) records[at] = left[leftAt] as number
  }
}
