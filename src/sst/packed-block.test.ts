import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { batchesOf, describe, entryAt } from '../testing/entry-model.ts'
import type { ModelEntry } from '../testing/entry-model.ts'
import { BlockMemory, BlockPiece } from './block-memory.ts'
import { unpackBlock } from './packed-block.ts'
import { ROW_SAME_AT, RowBlock } from './row-block.ts'
import { RowBlockBuilder } from './row-block-builder.ts'
import { copyEntries } from './row-block-copy.ts'

const place = { file: 'table', part: 'block', offset: 0 } as const
const owner = { evicted: (): void => undefined }

/** The block that these entries are packed into and unpacked from, checked as one of version 1 is. */
function throughPacking(list: readonly ModelEntry[], scratch?: BlockMemory): RowBlock {
  const builder = new RowBlockBuilder()
  for (const batch of batchesOf(list, 50)) {
    for (let index = 0; index < batch.count; index++)
      builder.note(batch.keyAt(index).length, batch.valueLengths[index] as number, batch.seqnos[index] as number, 0)
    builder.take(batch, 0, batch.count)
  }
  const packed = builder.finish().slice(4)
  const block = new Uint8Array(builder.blockBytes)
  block.set(packed, block.length - packed.length)
  unpackBlock(scratch === undefined ? packed : block.subarray(block.length - packed.length), block, scratch, place)
  const version1 = block.slice()
  version1[ROW_SAME_AT] = 0
  assert.equal(new RowBlock(version1, new BlockPiece(version1), owner, 0, place).count, list.length)
  return new RowBlock(block, new BlockPiece(block), owner, 0, place, true)
}

test('lengths, seqnos and kinds of every width are unpacked as they were', () => {
  const entry = (key: number, seqno: number, kind: 1 | 2, keyLength: number, valueLength: number): ModelEntry => {
    return { key: new Uint8Array(keyLength).fill(key), seqno, kind, value: new Uint8Array(valueLength).fill(key + 1) }
  }
  const lists: Readonly<Record<string, readonly ModelEntry[]>> = {
    'all the same': [entry(1, 7, 1, 3, 4), entry(2, 7, 1, 3, 4)],
    'lengths of a byte': [entry(1, 7, 1, 0, 0), entry(2, 7, 1, 3, 255), entry(3, 7, 1, 9, 1)],
    'lengths of two bytes': [entry(1, 7, 1, 300, 300), entry(2, 7, 1, 2, 65_000)],
    'lengths of four bytes, offsets of four': [entry(1, 7, 1, 70_000, 70_000), entry(2, 7, 1, 1, 1)],
    'one long length, offsets of four': [entry(1, 7, 1, 5, 40_000), entry(2, 7, 1, 5, 40_000)],
    'both kinds': [entry(1, 7, 1, 3, 4), entry(2, 7, 2, 3, 0)],
  }
  const spans = [1, 2 ** 8, 2 ** 16, 2 ** 24, 2 ** 32, 2 ** 40, 2 ** 46 - 1]
  const spanned = spans.flatMap((span) =>
    ([1, 2] as const).map((kind) => [entry(1, 5 + span, 1, 3, 1), entry(2, 5, kind, 3, 1), entry(3, 6, 1, 3, 1)]),
  )
  for (const list of [...Object.values(lists), ...spanned]) {
    for (const scratch of [undefined, new BlockMemory()]) {
      const block = throughPacking(list, scratch)
      const batch = new EntryBatch(block.count)
      copyEntries(block, 0, block.count, 1, batch)
      const found = Array.from({ length: batch.count }, (_, index) => describe(entryAt(batch, index)))
      assert.deepEqual(found, list.map(describe))
    }
  }
})

test('a packed block breaks none of its promises: each that is broken alone is damage', () => {
  // Count, prefix length, seqno base, shape, tag size, suffix length, value length, kind, four planes of heads, value.
  const whole = Uint8Array.of(1, 0, 1, 0, 0, 1, 1, 1, 97, 0, 0, 0, 9)
  const unpack = (packed: Uint8Array, blockBytes = 34): Uint8Array => {
    const block = new Uint8Array(blockBytes)
    unpackBlock(packed, block, undefined, place)
    return block
  }
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = whole.slice()
    bytes[at] = value
    return bytes
  }
  assert.equal(unpack(whole)[20 + 3], 97, 'the head, little-endian')
  const wrong: readonly [string, RegExp, Uint8Array, number?][] = [
    ['nothing', /bad number in its header/, new Uint8Array(0)],
    ['without a shape', /bad shape/, whole.subarray(0, 3)],
    ['without a tag size', /bad number in its header/, whole.subarray(0, 4)],
    ['without a kind', /bad shape/, whole.subarray(0, 7)],
    ['without an entry', /bad number in its header/, changed(0, 0)],
    ['a shape with more bits', /bad shape/, changed(3, 32)],
    ['tags of eight bytes', /bad shape/, changed(4, 8)],
    ['a kind of five bits', /bad shape/, changed(7, 16)],
    ['more entries', /columns run past the end/, changed(0, 2)],
    ['a longer prefix', /columns run past the end/, changed(1, 2)],
    ['a longer key', /areas do not add up/, changed(5, 6)],
    ['a longer value', /areas do not add up/, changed(6, 2)],
    ['a longer block', /another length than the index says/, whole, 35],
    ['a shorter block', /another length than the index says/, whole, 33],
    // Seven planes of one tag, from the lowest byte on: 2^46.
    [
      'seqnos too far apart',
      /seqnos too far apart/,
      Uint8Array.of(1, 0, 1, 0, 7, 1, 1, 1, 0, 0, 0, 0, 0, 0x40, 0, 97, 0, 0, 0, 9),
      40,
    ],
  ]
  for (const [what, message, packed, blockBytes] of wrong)
    assert.throws(() => unpack(packed, blockBytes), { code: 'TABLE_CORRUPT', message }, what)
})
