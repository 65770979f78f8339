/**
 * What the manifest keeps of a table of this engine: enough to place it in its level without opening it.
 *
 *      meta   keyFirst, keyLast                       byte strings
 *             entryCount, deleteCount, rangeCount     varints
 *             lower, upper                            cuts, only where rangeCount is not 0
 *             coverCount, then lower and upper of each     what range tombstones cover, only where rangeCount is not 0
 *             sampleCount, samples                    varint, byte strings; only where there are any
 *
 * Spec: docs/formats/head.md.
 */

import { copyOf } from '../../kernel/bytes.ts'
import { Decoder, Encoder } from '../../kernel/codec.ts'
import type { RangeFragment } from '../../kernel/fragment-list.ts'
import { compareCuts, copyCut, cutAfter, cutBefore, decodeCut, encodeCut } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { failHead } from '../../shard/head-content.ts'
import type { TableProperties } from '../../sst/sst.ts'

/** A table as its shard sees it: of one that it has a part of only, counts are those of the whole. Plain data; never changed. */
export interface TableMeta {
  /** Of the entries; empty, like `keyLast`, where there are none. */
  readonly keyFirst: Uint8Array
  /** See `keyFirst`. */
  readonly keyLast: Uint8Array
  /** Versions and deletions included. */
  readonly entryCount: number
  /** Those that delete one key. */
  readonly deleteCount: number
  /** Range tombstones: one for each seqno of each fragment. */
  readonly rangeCount: number
  /** Where all it has begins, entries and range tombstones. */
  readonly lower: KeyCut
  /** Where that ends. */
  readonly upper: KeyCut
  /** Stretches without a gap that range tombstones cover, ascending: the first few. */
  readonly covers: readonly CutSpan[]
  /** Ascending, within the bounds: they divide the table into parts of about the same size. */
  readonly samples: readonly Uint8Array[]
}

/** What lies between two cuts. */
export interface CutSpan {
  /** Where it begins. */
  readonly lower: KeyCut
  /** Where it ends, after `lower`. */
  readonly upper: KeyCut
}

// Whoever deletes that many ranges apart deletes small ones, which cover no table.
const COVERS_MAX = 16

/**
 * @param fragments the table's range tombstones, ascending
 * @param samples ascending: those outside of the bounds, a key that was dropped or what a long one begins with, are left out
 */
export function tableMetaOf(
  properties: TableProperties,
  fragments: readonly RangeFragment[],
  order: KeyOrder,
  samples: readonly Uint8Array[] = [],
): TableMeta {
  const { keyFirst, keyLast, entryCount, deleteCount, rangeCount } = properties
  const [first, last] = [fragments[0], fragments.at(-1)]
  let [lower, upper] = [cutBefore(keyFirst), cutAfter(keyLast)]
  if (first !== undefined && (entryCount === 0 || compareCuts(order, first.lower, lower) < 0)) lower = first.lower
  if (last !== undefined && (entryCount === 0 || compareCuts(order, last.upper, upper) > 0)) upper = last.upper
  const covers = coversOf(fragments, order)
  const within = samples.filter(
    (sample) => compareCuts(order, lower, cutBefore(sample)) < 0 && compareCuts(order, cutBefore(sample), upper) < 0,
  )
  return { keyFirst, keyLast, entryCount, deleteCount, rangeCount, lower, upper, covers, samples: within }
}

function coversOf(fragments: readonly RangeFragment[], order: KeyOrder): readonly CutSpan[] {
  const covers: CutSpan[] = []
  for (const { lower, upper } of fragments) {
    const last = covers.at(-1)
    if (last !== undefined && compareCuts(order, last.upper, lower) === 0)
      covers[covers.length - 1] = { ...last, upper }
    else if (covers.length < COVERS_MAX) covers.push({ lower, upper })
    else break
  }
  return covers
}

export function encodeTableMeta(meta: TableMeta): Uint8Array {
  const encoder = new Encoder()
    .bytes(meta.keyFirst)
    .bytes(meta.keyLast)
    .varint(meta.entryCount)
    .varint(meta.deleteCount)
    .varint(meta.rangeCount)
  if (meta.rangeCount > 0) {
    encodeCut(encoder, meta.lower)
    encodeCut(encoder, meta.upper)
    encoder.varint(meta.covers.length)
    for (const { lower, upper } of meta.covers) {
      encodeCut(encoder, lower)
      encodeCut(encoder, upper)
    }
  }
  if (meta.samples.length > 0) {
    encoder.varint(meta.samples.length)
    for (const sample of meta.samples) encoder.bytes(sample)
  }
  return encoder.finish()
}

/** @throws {VarveError} HEAD_CORRUPT */
export function decodeTableMeta(bytes: Uint8Array, file: string): TableMeta {
  const decoder = new Decoder(bytes, (reason, at) => failHead(`description of ${file}`, reason, at))
  const keyFirst = copyOf(decoder.bytes())
  const keyLast = copyOf(decoder.bytes())
  const entryCount = decoder.varint()
  const deleteCount = decoder.varint()
  const rangeCount = decoder.varint()
  const lower = rangeCount > 0 ? copyCut(decodeCut(decoder)) : cutBefore(keyFirst)
  const upper = rangeCount > 0 ? copyCut(decodeCut(decoder)) : cutAfter(keyLast)
  const covers: CutSpan[] = []
  if (rangeCount > 0) {
    for (let left = decoder.count(); left > 0; left--) {
      covers.push({ lower: copyCut(decodeCut(decoder)), upper: copyCut(decodeCut(decoder)) })
    }
  }
  const samples = decoder.remaining > 0 ? decodeSamples(decoder) : []
  decoder.end()
  return { keyFirst, keyLast, entryCount, deleteCount, rangeCount, lower, upper, covers, samples }
}

function decodeSamples(decoder: Decoder): readonly Uint8Array[] {
  const count = decoder.varint()
  if (count === 0 || count > decoder.remaining) decoder.fail('impossible number of samples')
  return Array.from({ length: count }, () => copyOf(decoder.bytes()))
}
