import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Encoder } from '../kernel/codec.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { LIMITS } from '../kernel/limits.ts'
import { RowIndex } from './row-index.ts'

const place = { file: 'table', part: 'index', offset: 0 } as const
const REVERSED: KeyOrder = {
  name: 'reversed',
  bytewise: false,
  compare: (a, aStart, aLimit, b, bStart, bLimit) => BYTEWISE.compare(b, bStart, bLimit, a, aStart, aLimit),
}

/** What is in an index, all of it, so that each can be wrong by itself. */
interface Parts {
  readonly codec: number
  readonly prefix: string
  readonly blocks: readonly { readonly separator: string; readonly stored: number; readonly decoded: number }[]
  readonly keyStarts?: readonly number[]
  readonly dataBytes?: number
  readonly more?: string
}

const PARTS: Parts = {
  codec: 3,
  prefix: 'key',
  blocks: [
    { separator: 'b', stored: 10, decoded: 20 },
    { separator: 'bb', stored: 20, decoded: 20 },
    { separator: 'd', stored: 5, decoded: 600 },
  ],
}

function indexOf({ codec, prefix, blocks, keyStarts, dataBytes, more = '' }: Parts, order = BYTEWISE): RowIndex {
  const keys = blocks.map(({ separator }) => separator).join('')
  const encoder = new Encoder().u32(blocks.length).u32(prefix.length).u64(77n).u32(codec).u32(keys.length)
  for (const index of blocks.keys()) encoder.u64(BigInt(index))
  for (const { stored } of blocks) encoder.u32(stored)
  for (const { decoded } of blocks) encoder.u32(decoded)
  const starts = blocks.map((_, index) => blocks.slice(0, index).reduce((sum, each) => sum + each.separator.length, 0))
  for (const start of keyStarts ?? [...starts, keys.length]) encoder.u32(start)
  const bytes = encoder.raw(Buffer.from(prefix + keys + more)).finish()
  return new RowIndex(bytes, dataBytes ?? blocks.reduce((sum, { stored }) => sum + stored, 0), order, place)
}

const key = (text: string): Uint8Array => Buffer.from(text)

test('a block is found by its separator, whether a key is shorter than what all of them begin with, or beside it', () => {
  const index = indexOf(PARTS)
  const bounds = ['', 'ke', 'key', 'kea', 'kez', 'keyb', 'keyba', 'keybb', 'keyc', 'keyd', 'keyda', 'z'].map((text) => [
    text,
    index.lowerBound(key(text)),
    index.upperBound(key(text)),
  ])
  assert.deepEqual(bounds, [
    ['', 0, 0],
    ['ke', 0, 0],
    ['key', 0, 0],
    ['kea', 0, 0],
    ['kez', 3, 3],
    ['keyb', 0, 1],
    ['keyba', 1, 1],
    ['keybb', 1, 2],
    ['keyc', 2, 2],
    ['keyd', 2, 3],
    ['keyda', 3, 3],
    ['z', 3, 3],
  ])
  assert.equal(Buffer.from(index.separatorAt(1)).toString(), 'keybb')
  assert.deepEqual([index.codec, index.packed, index.birth], ['lz4', true, 77n])
  assert.deepEqual(
    [0, 1, 2].map((block) => index.storedLength(block)),
    [10, 20, 5],
  )
  assert.deepEqual([...index.offsets], [0, 10, 30, 35])
})

test('a key is the separator of a block only where all of it is', () => {
  const index = indexOf(PARTS)
  const separators = (texts: readonly string[]): readonly string[] =>
    texts.filter((text) => index.isSeparator(1, key(text)))
  assert.deepEqual(separators(['keybb', 'bb', 'ke', 'key', 'keyb', 'keyba', 'keybbb', 'kezbb', 'kaybb', '']), ['keybb'])
  const plain = indexOf({ ...PARTS, prefix: '' })
  assert.deepEqual(
    ['bb', 'b', ''].map((text) => plain.isSeparator(1, key(text))),
    [true, false, false],
  )
})

test('in another order than the bytewise one blocks are found by that order, whatever number says after or before', () => {
  const blocks = [...PARTS.blocks].reverse()
  for (const number of [1, 0.25, 7]) {
    const order: KeyOrder = { ...REVERSED, compare: (...of) => number * Math.sign(REVERSED.compare(...of)) }
    const index = indexOf({ ...PARTS, prefix: '', blocks }, order)
    const bounds = ['e', 'd', 'c', 'bb', 'b', 'a'].map((text) => [
      index.lowerBound(key(text)),
      index.upperBound(key(text)),
    ])
    assert.deepEqual(bounds, [
      [0, 0],
      [0, 1],
      [1, 1],
      [1, 2],
      [2, 3],
      [3, 3],
    ])
  }
})

test('every promise of an index is checked by itself: what breaks one is damage, under whatever checksum', () => {
  const [first, second, third] = PARTS.blocks as [Parts['blocks'][0], Parts['blocks'][0], Parts['blocks'][0]]
  const over = LIMITS.blockBytesMax + 1
  const wrong: readonly [RegExp, Parts, KeyOrder?][] = [
    [/unknown codec/, { ...PARTS, codec: 4 }],
    [/columns do not add up/, { ...PARTS, more: 'x' }],
    [/prefix in an order other than bytewise/, PARTS, REVERSED],
    [/separators do not ascend/, { ...PARTS, keyStarts: [0, 3, 2, 4] }],
    [/separators do not fill their area/, { ...PARTS, keyStarts: [1, 1, 3, 4] }],
    [/separators do not fill their area/, { ...PARTS, keyStarts: [0, 1, 3, 3] }],
    [/separators do not fill their area/, { ...PARTS, keyStarts: [0, 1, 3, 5] }],
    [/impossible block length/, { ...PARTS, blocks: [first, { ...second, stored: 0 }, third] }],
    [/impossible block length/, { ...PARTS, blocks: [first, { ...second, stored: 21 }, third] }],
    [/block is over the limit/, { ...PARTS, blocks: [first, second, { ...third, decoded: over }] }],
    [/blocks do not fill their area/, { ...PARTS, dataBytes: 34 }],
    [/blocks do not fill their area/, { ...PARTS, dataBytes: 36 }],
  ]
  for (const [reason, parts, order] of wrong)
    assert.throws(() => indexOf(parts, order), { code: 'TABLE_CORRUPT', message: reason })
  assert.throws(() => new RowIndex(new Uint8Array(23), 0, BYTEWISE, place), /shorter than its header/)
  assert.equal(indexOf({ ...PARTS, blocks: [first, second, { ...third, decoded: over - 1 }] }).blockCount, 3)
  assert.equal(indexOf({ codec: 0, prefix: '', blocks: [] }).blockCount, 0)
})
