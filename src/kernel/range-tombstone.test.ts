import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AssertionError } from './assert.ts'
import { Encoder } from './codec.ts'
import { AFTER_ALL, BEFORE_ALL, cutAfter, cutBefore } from './key-cut.ts'
import { BYTEWISE } from './key-order.ts'
import {
  decodeTombstones,
  encodeTombstone,
  isBetween,
  raiseLower,
  reduceUpper,
  resetStretch,
  wholeStretch,
} from './range-tombstone.ts'

const key = Uint8Array.of(5)

test('a stretch only narrows, holds what is between its cuts, and is everything again when it is reset', () => {
  const stretch = wholeStretch()
  for (const lower of [3, 4, 2]) raiseLower(stretch, BYTEWISE, cutBefore(Uint8Array.of(lower)))
  for (const upper of [8, 6, 9]) reduceUpper(stretch, BYTEWISE, cutAfter(Uint8Array.of(upper)))
  assert.deepEqual([stretch.lower.key, stretch.upper.key], [Uint8Array.of(4), Uint8Array.of(6)])
  const within = [3, 4, 6, 7].map((byte) => isBetween(stretch, BYTEWISE, Uint8Array.of(byte), 0, 1))
  assert.deepEqual(within, [false, true, true, false])
  resetStretch(stretch)
  assert.deepEqual(stretch, wholeStretch())
})

test('tombstones come back as they were handed over, and what another thread garbled is our own broken promise', () => {
  const tombstones = [
    { lower: cutBefore(key), upper: cutAfter(Uint8Array.of(7, 7)), seqno: 3 },
    { lower: BEFORE_ALL, upper: AFTER_ALL, seqno: 2 ** 40 },
  ]
  const encoder = new Encoder()
  for (const tombstone of tombstones) encodeTombstone(encoder, tombstone)
  const bytes = encoder.finish()
  assert.deepEqual(decodeTombstones(bytes), tombstones)
  assert.throws(() => decodeTombstones(bytes.subarray(0, bytes.length - 1)), AssertionError)
  assert.throws(() => decodeTombstones(Uint8Array.of(1, 2, 1, 5)), /another thread: unknown side/)
})
