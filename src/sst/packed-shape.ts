/** How wide the columns of a packed block are (drawn in packed-block.ts), and what that makes them in memory. */

import { assert } from '../kernel/assert.ts'
import { ROW_WIDE_BYTES } from './row-block.ts'

export const PACKED_KINDS_VARY = 16
export const PACKED_KIND_SCALE = 16
export const PACKED_TAG_BYTES_MAX = 7
const SEQNO_SPAN_BITS = 46
/** Seqnos of one block span less than this: a tag in memory has 53 bits, 7 of them for pad and kind. */
export const ROW_SEQNO_SPAN = 2 ** SEQNO_SPAN_BITS

/** Code of the shortest length that all up to `max` have room in. */
export function lengthCode(max: number): number {
  return max < 0x100 ? 1 : max < 0x1_0000 ? 2 : 3
}

/** Bytes of a length, by its code in the shape. */
export function lengthBytes(code: number): number {
  return code === 3 ? 4 : code
}

/** Bytes of a tag in memory, where packed ones have `packedBytes`. Four are read at once; fewer but one are not worth it. */
export function rowTagBytes(packedBytes: number, kindsVary: boolean): number {
  const bits = Math.min(SEQNO_SPAN_BITS, packedBytes * 8 - (kindsVary ? 4 : 0))
  const bytes = packedBytes === 0 ? 1 : Math.ceil((bits + 7) / 8)
  return bytes === 1 ? 1 : Math.max(4, bytes)
}

/** Bytes of the block in memory, from those of all but its offsets. */
export function rowBlockBytes(count: number, fixedBytes: number): number {
  // Wide offsets themselves never bring a block below the limit that asks for them.
  const wide = fixedBytes + (count + 1) * 4 >= ROW_WIDE_BYTES
  return fixedBytes + (count + 1) * (wide ? 8 : 4)
}

/** Bytes of packed tags up to `value`. */
export function packedTagBytes(value: number): number {
  let bytes = 0
  for (let limit = 1; value >= limit; limit *= 256) bytes++
  assert(bytes <= PACKED_TAG_BYTES_MAX, 'seqnos of a block span too much')
  return bytes
}

export function writeLength(bytes: Uint8Array, at: number, lengthSize: number, length: number): void {
  if (lengthSize === 0) return
  bytes[at] = length
  if (lengthSize === 1) return
  bytes[at + 1] = length >>> 8
  if (lengthSize === 2) return
  bytes[at + 2] = length >>> 16
  bytes[at + 3] = length >>> 24
}
