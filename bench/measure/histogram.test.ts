import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histogram } from './histogram.ts'

test('quantiles are within the width of a bucket, from microseconds to seconds', () => {
  for (const scale of [0.001, 1, 1000]) {
    const histogram = new Histogram()
    for (let at = 1; at <= 10_000; at++) histogram.add((at / 10_000) * scale)
    for (const share of [0.5, 0.9, 0.99, 0.999, 1]) {
      assert.ok(Math.abs(histogram.quantileMs(share) / (share * scale) - 1) < 0.02, `${share} of ${scale}`)
    }
    assert.equal(histogram.maxMs, scale)
    assert.equal(histogram.count, 10_000)
  }
})

test('an empty histogram has no latency', () => {
  assert.equal(new Histogram().quantileMs(0.99), 0)
})
