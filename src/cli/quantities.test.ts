import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatByteRate,
  formatBytes,
  formatCount,
  formatDuration,
  formatNumberOf,
  formatPercent,
  formatRate,
  formatRatio,
} from './quantities.ts'

test('digits are grouped by three from the right', () => {
  assert.equal(formatCount(0), '0')
  assert.equal(formatCount(999), '999')
  assert.equal(formatCount(1000), '1,000')
  assert.equal(formatCount(1234567.4), '1,234,567')
})

test('bytes are told in the largest unit that keeps a digit before the point, never as 1000 of the one below', () => {
  assert.equal(formatBytes(0), '0 B')
  assert.equal(formatBytes(999), '999 B')
  assert.equal(formatBytes(1000), '1.00 kB')
  assert.equal(formatBytes(12_340), '12.3 kB')
  assert.equal(formatBytes(999_499), '999 kB')
  assert.equal(formatBytes(999_999), '1.00 MB')
  assert.equal(formatBytes(115_400_000), '115 MB')
  assert.equal(formatBytes(2.5e12), '2.50 TB')
})

test('rates are per second, and a dash where no time has passed', () => {
  assert.equal(formatByteRate(5_000_000, 500), '10.0 MB/s')
  assert.equal(formatByteRate(5, 0), '–')
  assert.equal(formatRate(3000, 1500), '2,000/s')
  assert.equal(formatRate(3, 2000), '1.50/s')
  assert.equal(formatRate(3, 0), '–')
})

test('durations are told in the unit a person would use', () => {
  assert.equal(formatDuration(0), '0 ms')
  assert.equal(formatDuration(999.4), '999 ms')
  assert.equal(formatDuration(999.6), '1.00 s')
  assert.equal(formatDuration(59_949), '59.9 s')
  assert.equal(formatDuration(59_990), '1 min 0 s')
  assert.equal(formatDuration(3_725_000), '62 min 5 s')
})

test('ratios and percentages of nothing are a dash', () => {
  assert.equal(formatRatio(3, 2), '1.50×')
  assert.equal(formatRatio(3, 0), '–')
  assert.equal(formatPercent(1, 3), '33.3 %')
  assert.equal(formatPercent(0, 0), '–')
})

test('one thing is singular, any other number plural', () => {
  assert.equal(formatNumberOf(1, 'file'), '1 file')
  assert.equal(formatNumberOf(0, 'file'), '0 files')
  assert.equal(formatNumberOf(2000, 'entry'), '2,000 entries')
  assert.equal(formatNumberOf(2, 'key'), '2 keys')
  assert.equal(formatNumberOf(2, 'mouse', 'mice'), '2 mice')
})
