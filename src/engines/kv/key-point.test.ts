import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AFTER_ALL, BEFORE_ALL, compareCuts, cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import { comparePoints, firstPoint, lastPoint } from './key-point.ts'
import type { KeyPoint } from './key-point.ts'

function pointAt(key: Uint8Array): KeyPoint {
  return { key, place: 0 }
}

test('two ranges share points exactly if they share more than a cut', () => {
  const keys = [1, 2, 3].map((number) => Uint8Array.of(number))
  const cuts: KeyCut[] = [BEFORE_ALL, ...keys.flatMap((key) => [cutBefore(key), cutAfter(key)]), AFTER_ALL]
  const ranges = cuts.flatMap((lower, index) => cuts.slice(index + 1).map((upper) => ({ lower, upper })))
  for (const a of ranges) {
    for (const b of ranges) {
      const share = compareCuts(BYTEWISE, a.lower, b.upper) < 0 && compareCuts(BYTEWISE, b.lower, a.upper) < 0
      const sharePoints =
        comparePoints(BYTEWISE, firstPoint(a.lower), lastPoint(b.upper)) <= 0 &&
        comparePoints(BYTEWISE, firstPoint(b.lower), lastPoint(a.upper)) <= 0
      assert.equal(sharePoints, share)
    }
  }
})

test('points are in one order, and a key is the point between just before and just after it', () => {
  const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)]
  const sorted = [
    firstPoint(BEFORE_ALL),
    lastPoint(cutBefore(one)),
    pointAt(one),
    firstPoint(cutAfter(one)),
    lastPoint(cutBefore(two)),
    pointAt(two),
    lastPoint(AFTER_ALL),
  ]
  for (const [i, a] of sorted.entries()) {
    for (const [j, b] of sorted.entries()) assert.equal(Math.sign(comparePoints(BYTEWISE, a, b)), Math.sign(i - j))
  }
  assert.deepEqual([firstPoint(cutBefore(one)), lastPoint(cutAfter(one))], [pointAt(one), pointAt(one)])
})
