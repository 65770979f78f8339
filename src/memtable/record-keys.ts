/** The keys of records, looked at where they lie in the arena. */

import { compareRange, headOf, sharedPrefixLength } from '../kernel/bytes.ts'
import type { Tree } from './tree.ts'

/** Order of the keys of two records that agree in their first `sharedBytes`, as far as they have so many. */
export function compareRecords(tree: Tree, a: number, b: number, sharedBytes: number): number {
  const start = tree.keyStart(a)
  const limit = start + tree.keyLength(a)
  const otherStart = tree.keyStart(b)
  const otherLimit = otherStart + tree.keyLength(b)
  const bytes = tree.chunkBytes(a)
  const other = tree.chunkBytes(b)
  if (!tree.bytewise) return tree.order.compare(bytes, start, limit, other, otherStart, otherLimit)
  const skipped = Math.min(sharedBytes, limit - start, otherLimit - otherStart)
  return compareRange(bytes, start + skipped, limit, other, otherStart + skipped, otherLimit)
}

/** How many bytes the keys of two records begin with alike. */
export function sharedBetween(tree: Tree, a: number, b: number): number {
  const start = tree.keyStart(a)
  const otherStart = tree.keyStart(b)
  const limit = start + tree.keyLength(a)
  const otherLimit = otherStart + tree.keyLength(b)
  return sharedPrefixLength(tree.chunkBytes(a), start, limit, tree.chunkBytes(b), otherStart, otherLimit)
}

/** The head of a record's key in a node whose prefix has `prefixLength` bytes; 0 where the order is not bytewise. */
export function headAfter(tree: Tree, record: number, prefixLength: number): number {
  if (!tree.bytewise) return 0
  const start = tree.keyStart(record)
  return headOf(tree.chunkBytes(record), start + prefixLength, start + tree.keyLength(record)) >>> 1
}
