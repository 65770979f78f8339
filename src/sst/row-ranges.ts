/**
 * The ranges part of a row table: its range tombstones, as fragments that do not overlap.
 *
 *      ranges     count of fragments (varint), then fragments in ascending order; empty where there are none
 *      fragment   lower cut, upper cut, count of seqnos (varint), the newest (varint), then what each is below the one
 *                 before (varints)
 *      cut        side u8: 0 before all keys, 1 before a key, 3 after a key, 4 after all keys;
 *                 with 1 and 3: how many bytes the key shares with that of the cut before (varint), then the rest of it
 *                 with its length
 *
 * Spec: docs/formats/row-table.md.
 */

import { sharedPrefixLength } from '../kernel/bytes.ts'
import { Decoder, Encoder } from '../kernel/codec.ts'
import { FragmentList } from '../kernel/fragment-list.ts'
import type { RangeFragment } from '../kernel/fragment-list.ts'
import { AFTER_ALL, BEFORE_ALL, compareCuts, decodeSide } from '../kernel/key-cut.ts'
import type { CutSide, KeyCut } from '../kernel/key-cut.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { KIB } from '../kernel/limits.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePlace } from './table-damage.ts'

const NO_KEY = new Uint8Array(0)

// A key may share all of a long one with that before, in a few bytes. Writers stop sharing where it would make more of
// few bytes than this, so that readers know what to expect.
const KEY_BYTES_TIMES_MAX = 8
const KEY_BYTES_BASE = 512 * KIB

export function encodeRanges(fragments: readonly RangeFragment[]): Uint8Array {
  if (fragments.length === 0) return NO_KEY
  const encoder = new Encoder()
  encoder.varint(fragments.length)
  let before: Uint8Array = NO_KEY
  let keyBytes = 0
  for (const { lower, upper, seqnos } of fragments) {
    for (const cut of [lower, upper]) {
      keyBytes += cut.key.length
      before = encodeCutAfter(encoder, before, cut, keyBytes <= keyBytesMax(encoder.length))
    }
    encoder.varint(seqnos.length)
    let newer = 0
    for (const [index, seqno] of seqnos.entries()) {
      encoder.varint(index === 0 ? seqno : newer - seqno)
      newer = seqno
    }
  }
  return encoder.finish()
}

/** @throws {VarveError} TABLE_CORRUPT */
export function decodeRanges(bytes: Uint8Array, order: KeyOrder, place: TablePlace): FragmentList {
  const fragments: RangeFragment[] = []
  if (bytes.length === 0) return new FragmentList(fragments, order)
  const decoder = new Decoder(bytes, (reason) => {
    throw tableCorrupt(place, reason)
  })
  let before: Uint8Array = NO_KEY
  let last: KeyCut | undefined
  let keyBytes = 0
  // Of a fragment, every field takes a byte: two sides, a count, a seqno.
  for (let left = decoder.count(4); left > 0; left--) {
    const lower = decodeCutAfter(decoder, before)
    if (isAtKey(lower.side)) before = lower.key
    const upper = decodeCutAfter(decoder, before)
    if (isAtKey(upper.side)) before = upper.key
    if (compareCuts(order, lower, upper) >= 0) decoder.fail('a fragment ends before it begins')
    if (last !== undefined && compareCuts(order, last, lower) > 0) decoder.fail('fragments overlap')
    last = upper
    keyBytes += lower.key.length + upper.key.length
    if (keyBytes > keyBytesMax(bytes.length)) decoder.fail('keys share more than a writer lets them')
    fragments.push({ lower, upper, seqnos: decodeSeqnos(decoder) })
  }
  decoder.end()
  return new FragmentList(fragments, order)
}

/** What all keys may take, put together, where they take `encodedBytes`. */
function keyBytesMax(encodedBytes: number): number {
  return encodedBytes * KEY_BYTES_TIMES_MAX + KEY_BYTES_BASE
}

/** Returns the key that the next cut is written after. */
function encodeCutAfter(encoder: Encoder, before: Uint8Array, { key, side }: KeyCut, mayShare: boolean): Uint8Array {
  encoder.u8(side + 2)
  if (!isAtKey(side)) return before
  const shared = mayShare ? sharedPrefixLength(before, 0, before.length, key, 0, key.length) : 0
  encoder.varint(shared).bytes(key.subarray(shared))
  return key
}

/** Keys are copies: what is decoded must not stay alive with them. */
function decodeCutAfter(decoder: Decoder, before: Uint8Array): KeyCut {
  const side = decodeSide(decoder)
  if (!isAtKey(side)) return side === 2 ? AFTER_ALL : BEFORE_ALL
  const shared = decoder.varint()
  if (shared > before.length) decoder.fail('a key shares more than there is')
  const rest = decoder.bytes()
  const key = new Uint8Array(shared + rest.length)
  key.set(before.subarray(0, shared))
  key.set(rest, shared)
  return { key, side }
}

function isAtKey(side: CutSide): boolean {
  return side === -1 || side === 1
}

function decodeSeqnos(decoder: Decoder): readonly number[] {
  const seqnos: number[] = []
  let newer = 0
  for (let left = decoder.count(); left > 0; left--) {
    const number = decoder.varint()
    const seqno = seqnos.length === 0 ? number : newer - number
    if (number === 0 || seqno <= 0) decoder.fail('seqnos of a fragment do not descend')
    seqnos.push((newer = seqno))
  }
  if (seqnos.length === 0) decoder.fail('a fragment without a seqno')
  return seqnos
}
