/** From the bounds a caller gives to a range of keys. */

import { compareBytes, isBytes, prefixLimit } from '../../kernel/bytes.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { KeyRange } from '../../kernel/key-range.ts'
import { kindOf } from '../../kernel/kind-of.ts'
import { checkOptionNames } from '../../kernel/option-names.ts'
import type { KvRange } from './kv.ts'

export const RANGE_OPTIONS: Readonly<Record<keyof KvRange, true>> = {
  gt: true,
  gte: true,
  lt: true,
  lte: true,
  prefix: true,
}

/**
 * @param known names that the caller's object may have: a bound that is misspelt would be none, and everything deleted
 * @throws {TypeError} an unknown name, not bytes, two bounds on one side, or a prefix in an order that is not bytewise
 */
export function toKeyRange(
  input: KvRange,
  order: KeyOrder,
  known: Readonly<Record<string, true>> = RANGE_OPTIONS,
): KeyRange {
  checkOptionNames(input, known)
  checkBound('gt', input.gt)
  checkBound('gte', input.gte)
  checkBound('lt', input.lt)
  checkBound('lte', input.lte)
  checkBound('prefix', input.prefix)
  if (input.gt !== undefined && input.gte !== undefined) throw new TypeError('give gt or gte, not both')
  if (input.lt !== undefined && input.lte !== undefined) throw new TypeError('give lt or lte, not both')
  // The caller may reuse its buffers while the scan goes on.
  const lower = copyOf(input.gt ?? input.gte)
  const upper = copyOf(input.lt ?? input.lte)
  const range = rangeOf(lower, input.gt !== undefined, upper, input.lt !== undefined)
  return input.prefix === undefined ? range : narrow(range, new Uint8Array(input.prefix), order)
}

function checkBound(name: keyof KvRange, bound: unknown): void {
  if (bound !== undefined && !isBytes(bound)) throw new TypeError(`${name} must be a Uint8Array, got ${kindOf(bound)}`)
}

/** With spread objects, and bounds looked up by name, `toKeyRange` was 15 µs of every scan until it was compiled. */
function rangeOf(
  lower: Uint8Array | undefined,
  lowerOpen: boolean,
  upper: Uint8Array | undefined,
  upperOpen: boolean,
): KeyRange {
  if (lower === undefined) return upper === undefined ? {} : { upper, upperOpen }
  return upper === undefined ? { lower, lowerOpen } : { lower, lowerOpen, upper, upperOpen }
}

function narrow(range: KeyRange, prefix: Uint8Array, order: KeyOrder): KeyRange {
  if (!order.bytewise) throw new TypeError('a prefix is a range of keys only in bytewise order')
  let narrowed = range
  if (range.lower === undefined || compareBytes(prefix, range.lower) > 0)
    narrowed = { ...narrowed, lower: prefix, lowerOpen: false }
  const limit = prefixLimit(prefix)
  if (limit !== undefined && (range.upper === undefined || compareBytes(limit, range.upper) <= 0)) {
    narrowed = { ...narrowed, upper: limit, upperOpen: true }
  }
  return narrowed
}

/** `slice` would not do: that of a Buffer is a view. */
function copyOf(bound: Uint8Array | undefined): Uint8Array | undefined {
  return bound === undefined ? undefined : new Uint8Array(bound)
}
