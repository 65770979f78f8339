/** Range options as abstract-level hands them over, as a range of the engine. */

import { compareBytes } from '../../kernel/bytes.ts'
import type { KvRange } from '../kv/kv.ts'
import { toBytes, toOwn } from './encoded-data.ts'
import type { EncodedData } from './encoded-data.ts'

export interface EncodedRange {
  readonly gt?: EncodedData
  readonly gte?: EncodedData
  readonly lt?: EncodedData
  readonly lte?: EncodedData
}

/**
 * abstract-level lets a closed bound win over an open one; the engine takes only one of them. The bounds are copies: an
 * iterator looks at them again when it seeks.
 */
export function toKvRange({ gt, gte, lt, lte }: EncodedRange): KvRange {
  return {
    ...(gte !== undefined ? { gte: toBytes(toOwn(gte)) } : gt !== undefined ? { gt: toBytes(toOwn(gt)) } : {}),
    ...(lte !== undefined ? { lte: toBytes(toOwn(lte)) } : lt !== undefined ? { lt: toBytes(toOwn(lt)) } : {}),
  }
}

/** @param range as `toKvRange` makes them */
export function isInRange({ gt, gte, lt, lte }: KvRange, key: Uint8Array): boolean {
  if (gte !== undefined && compareBytes(key, gte) < 0) return false
  if (gt !== undefined && compareBytes(key, gt) <= 0) return false
  if (lte !== undefined && compareBytes(key, lte) > 0) return false
  return lt === undefined || compareBytes(key, lt) < 0
}
