/** From the options of a scan to what it does. */

import { checkSignal } from '../../kernel/errors.ts'
import type { Seqno } from '../../kernel/ids.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { isEmptyRange } from '../../kernel/key-range.ts'
import type { KeyRange } from '../../kernel/key-range.ts'
import { checkNumber } from '../../kernel/setting-check.ts'
import type { SettingRange } from '../../kernel/setting-check.ts'
import { RANGE_OPTIONS, toKeyRange } from './key-bounds.ts'
import type { ScanOptions } from './kv.ts'
import { checkWhole } from './limits.ts'
import { flag } from './read-options.ts'

export interface ScanPlan {
  readonly range: KeyRange
  readonly reverse: boolean
  readonly limit: number
  readonly keys: boolean
  readonly values: boolean
  readonly seqno: Seqno
  readonly signal: AbortSignal | undefined
}

const SCAN_OPTIONS: Readonly<Record<keyof ScanOptions, true>> = {
  ...RANGE_OPTIONS,
  snapshot: true,
  signal: true,
  reverse: true,
  limit: true,
  keys: true,
  values: true,
}

const LIMIT: SettingRange = [0, Infinity]

/**
 * @param pin gives the seqno to read as of, and holds it: asked last, when nothing can be wrong any more
 * @throws {TypeError} {RangeError} bad bounds or limit
 */
export function toScanPlan(options: ScanOptions, order: KeyOrder, pin: (options: ScanOptions) => Seqno): ScanPlan {
  const range = toKeyRange(options, order, SCAN_OPTIONS)
  const { limit = Infinity, signal } = options
  checkNumber('limit', limit, LIMIT)
  checkWhole('limit', limit)
  checkSignal(signal)
  const reverse = flag('reverse', options.reverse, false)
  const keys = flag('keys', options.keys, true)
  const values = flag('values', options.values, true)
  const most = isEmptyRange(range, order) ? 0 : limit
  return { range, reverse, limit: most, keys, values, seqno: pin(options), signal }
}
