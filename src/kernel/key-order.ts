/** The order of keys: bytewise, or a named order that the manifest records. */

import { compareRange } from './bytes.ts'

/** A total order of byte strings. Pure: the same bytes compare the same way, in every process, for ever. */
export interface KeyOrder {
  /** Recorded in the manifest; a shard refuses to open with another. `bytewise` is taken. */
  readonly name: string
  /** True only for BYTEWISE: heads may stand for keys, separators may be shortened, prefixes are ranges. */
  readonly bytewise: boolean
  /** Negative, 0 or positive. A total order; equal only for equal bytes. Must not keep or change its arguments. */
  compare(a: Uint8Array, aStart: number, aLimit: number, b: Uint8Array, bStart: number, bLimit: number): number
}

/** The default: shorter first where one begins with the other, else by the first byte that differs, unsigned. */
export const BYTEWISE: KeyOrder = Object.freeze({ name: 'bytewise', bytewise: true, compare: compareRange })
