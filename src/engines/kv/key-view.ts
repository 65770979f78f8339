/**
 * How a shard sees a table that it shares with others: only between two cuts. What lies outside is another shard's, and
 * goes when the table is rewritten here.
 *
 *      view   lower cut, upper cut; empty: the table is seen whole
 *
 * The manifest keeps the view beside the table; the file knows nothing of it. Pebble's virtual sstables are the idea.
 *
 * Spec: docs/formats/head.md.
 */

import { Decoder, Encoder } from '../../kernel/codec.ts'
import {
  AFTER_ALL,
  BEFORE_ALL,
  compareCuts,
  copyCut,
  cutAfter,
  cutBefore,
  decodeCut,
  earlierCut,
  encodeCut,
  laterCut,
} from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { failHead } from '../../shard/head-content.ts'
import type { CutSpan, TableMeta } from './table-meta.ts'

const NO_KEY = new Uint8Array(0)
export const WHOLE: CutSpan = Object.freeze({ lower: BEFORE_ALL, upper: AFTER_ALL })

export function encodeView({ lower, upper }: CutSpan): Uint8Array {
  const encoder = new Encoder()
  encodeCut(encoder, lower)
  encodeCut(encoder, upper)
  return encoder.finish()
}

/** undefined: the table is seen whole. @throws {VarveError} HEAD_CORRUPT */
export function decodeView(bytes: Uint8Array, file: string): CutSpan | undefined {
  if (bytes.length === 0) return undefined
  const decoder = new Decoder(bytes, (reason, at) => failHead(`view of ${file}`, reason, at))
  const view = { lower: copyCut(decodeCut(decoder)), upper: copyCut(decodeCut(decoder)) }
  decoder.end()
  return view
}

/** What two spans have in common; without anything between its cuts where that is nothing. */
export function commonSpan(a: CutSpan, b: CutSpan, order: KeyOrder): CutSpan {
  return { lower: laterCut(order, a.lower, b.lower), upper: earlierCut(order, a.upper, b.upper) }
}

export function isEmptySpan({ lower, upper }: CutSpan, order: KeyOrder): boolean {
  return compareCuts(order, lower, upper) >= 0
}

export function isWithinSpan(inner: CutSpan, outer: CutSpan, order: KeyOrder): boolean {
  return compareCuts(order, outer.lower, inner.lower) <= 0 && compareCuts(order, inner.upper, outer.upper) <= 0
}

/**
 * What a table has within `view`. Counts are those of the whole table, and the first and the last key bounds that it need
 * not have: an entry at one of them may still be outside.
 */
export function viewedMeta(meta: TableMeta, view: CutSpan, order: KeyOrder): TableMeta {
  const { lower, upper } = commonSpan(meta, view, order)
  const entries = commonSpan({ lower: cutBefore(meta.keyFirst), upper: cutAfter(meta.keyLast) }, view, order)
  const has = meta.entryCount > 0 && !isEmptySpan(entries, order)
  const covers = meta.covers
    .map((cover) => commonSpan(cover, view, order))
    .filter((cover) => !isEmptySpan(cover, order))
  const samples = meta.samples.filter(
    (sample) => compareCuts(order, lower, cutBefore(sample)) < 0 && compareCuts(order, cutBefore(sample), upper) < 0,
  )
  return {
    keyFirst: has ? entries.lower.key : NO_KEY,
    keyLast: has ? entries.upper.key : NO_KEY,
    entryCount: has ? meta.entryCount : 0,
    deleteCount: has ? meta.deleteCount : 0,
    rangeCount: meta.rangeCount,
    lower,
    upper,
    covers,
    samples,
  }
}
