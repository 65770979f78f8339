import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../kernel/errors.ts'
import { seqno } from '../../kernel/ids.ts'
import { AFTER_ALL, cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import type { TableProperties } from '../../sst/sst.ts'
import { decodeTableMeta, encodeTableMeta, tableMetaOf } from './table-meta.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

function properties(first: string, last: string, entryCount: number, rangeCount: number): TableProperties {
  return {
    entryCount,
    deleteCount: Math.min(1, entryCount),
    rangeCount,
    keyBytes: 0,
    valueBytes: 0,
    seqnoFirst: seqno(1),
    seqnoLast: seqno(9),
    keyFirst: bytes(first),
    keyLast: bytes(last),
    order: 'bytewise',
  }
}

test('the bounds of a table hold its entries and its range tombstones, and survive encoding', () => {
  const left = { lower: cutAfter(bytes('b')), upper: cutBefore(bytes('d')), seqnos: [3] }
  const right = { lower: cutBefore(bytes('x')), upper: AFTER_ALL, seqnos: [7, 2] }
  const cases = [
    {
      meta: tableMetaOf(properties('c', 'm', 5, 0), [], BYTEWISE),
      lower: cutBefore(bytes('c')),
      upper: cutAfter(bytes('m')),
    },
    { meta: tableMetaOf(properties('c', 'm', 5, 1), [left], BYTEWISE), lower: left.lower, upper: cutAfter(bytes('m')) },
    {
      meta: tableMetaOf(properties('a', 'm', 5, 1), [left], BYTEWISE),
      lower: cutBefore(bytes('a')),
      upper: cutAfter(bytes('m')),
    },
    { meta: tableMetaOf(properties('c', 'm', 5, 3), [left, right], BYTEWISE), lower: left.lower, upper: AFTER_ALL },
    { meta: tableMetaOf(properties('', '', 0, 3), [left, right], BYTEWISE), lower: left.lower, upper: AFTER_ALL },
    { meta: tableMetaOf(properties('', '', 0, 1), [left], BYTEWISE), lower: left.lower, upper: left.upper },
    {
      meta: tableMetaOf(properties('c', 'm', 5, 1), [left], BYTEWISE, [bytes('e'), bytes('g')]),
      lower: left.lower,
      upper: cutAfter(bytes('m')),
    },
  ]
  for (const { meta, lower, upper } of cases) {
    assert.deepEqual([meta.lower, meta.upper], [lower, upper])
    assert.deepEqual(decodeTableMeta(encodeTableMeta(meta), 'a'), meta)
  }
})

test('samples lie inside of the bounds: not the first key, what comes before it, or a key after the last', () => {
  const given = ['aaa', 'c', 'ca', 'm', 'n'].map(bytes)
  const { samples } = tableMetaOf(properties('c', 'm', 5, 0), [], BYTEWISE, given)
  assert.deepEqual(samples, ['ca', 'm'].map(bytes))
})

test('a damaged description is HEAD_CORRUPT', () => {
  const fragment = { lower: cutBefore(bytes('x')), upper: AFTER_ALL, seqnos: [7] }
  const whole = encodeTableMeta(tableMetaOf(properties('c', 'm', 5, 1), [fragment], BYTEWISE))
  for (let length = 0; length < whole.length; length++) {
    assert.throws(
      () => decodeTableMeta(whole.subarray(0, length), 'a'),
      (error) => isCode(error, 'HEAD_CORRUPT'),
    )
  }
  assert.throws(
    () => decodeTableMeta(Uint8Array.from([...whole, 0]), 'a'),
    (error) => isCode(error, 'HEAD_CORRUPT'),
  )
})

test('stretches that adjoin are one, and of many only the first sixteen are kept', () => {
  const key = (number: number): Uint8Array => Uint8Array.of(number)
  const stretch = (lower: number, upper: number) => ({ lower: cutBefore(key(lower)), upper: cutBefore(key(upper)) })
  const fragments = Array.from({ length: 40 }, (_, index) => ({ ...stretch(index * 3, index * 3 + 2), seqnos: [1] }))
  const adjoining = { ...stretch(2, 3), seqnos: [2] }
  const [first, ...rest] = fragments
  assert.ok(first !== undefined)
  const meta = tableMetaOf(properties('', '', 0, 41), [first, adjoining, ...rest], BYTEWISE)
  assert.deepEqual(meta.covers.slice(0, 2), [stretch(0, 5), stretch(6, 8)])
  assert.equal(meta.covers.length, 16)
  assert.deepEqual(meta.upper, cutBefore(key(39 * 3 + 2)), 'the bounds hold all of them')
  assert.deepEqual(decodeTableMeta(encodeTableMeta(meta), 'a'), meta)
})

test('a number of samples that is none, or more than there are bytes, is damage', () => {
  const whole = encodeTableMeta(tableMetaOf(properties('c', 'm', 5, 0), [], BYTEWISE, [bytes('e')]))
  const at = whole.length - 3
  assert.equal(whole[at], 1)
  for (const count of [0, 3]) {
    const wrong = whole.slice()
    wrong[at] = count
    assert.throws(() => decodeTableMeta(wrong, 'a'), { code: 'HEAD_CORRUPT', message: /impossible number of samples/ })
  }
})
