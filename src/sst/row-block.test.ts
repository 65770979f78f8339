import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { isCode } from '../kernel/errors.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { batchesOf, describe, entryAt, newestAt, sortEntries } from '../testing/entry-model.ts'
import type { ModelEntry } from '../testing/entry-model.ts'
import { BlockPiece } from './block-memory.ts'
import { KeyScratch } from './key-scratch.ts'
import { ROW_ABSENT, RowBlock } from './row-block.ts'
import { copyEntries } from './row-block-copy.ts'
import { RowBlockBuilder } from './row-block-builder.ts'

const place = { file: 'table', part: 'block', offset: 0 } as const
const owner = { evicted: (): void => undefined }
const bytes = fc.uint8Array({ maxLength: 9 })
const key = fc.oneof(
  bytes,
  bytes.map((tail) => Uint8Array.from([1, 2, 3, 4, 5, ...tail])),
)
const entry: fc.Arbitrary<ModelEntry> = fc.record({
  key,
  seqno: fc.oneof(fc.nat(100), fc.nat(2 ** 45)),
  kind: fc.constantFrom(1, 2),
  value: fc.uint8Array({ maxLength: 60 }),
})
const entries = fc.array(entry, { minLength: 1, maxLength: 40 }).map((list) => sortEntries(list, BYTEWISE))

function build(list: readonly ModelEntry[]): Uint8Array {
  const builder = new RowBlockBuilder()
  for (const batch of batchesOf(list, 8)) {
    for (let index = 0; index < batch.count; index++) {
      const length = batch.keyAt(index).length
      const before = builder.count === 0 ? undefined : (list[builder.count - 1] as ModelEntry).key
      let shared = 0
      while (before !== undefined && shared < length && before[shared] === batch.keyAt(index)[shared]) shared++
      builder.note(length, batch.valueLengths[index] as number, batch.seqnos[index] as number, shared)
    }
    builder.take(batch, 0, batch.count)
  }
  return builder.finish().slice()
}

function open(content: Uint8Array): RowBlock {
  return new RowBlock(content, new BlockPiece(content), owner, 0, place)
}

function copies(block: RowBlock, step: 1 | -1): readonly string[] {
  const batch = new EntryBatch(block.count)
  copyEntries(block, step === 1 ? 0 : block.count - 1, block.count, step, batch)
  return Array.from({ length: batch.count }, (_, index) => describe(entryAt(batch, index)))
}

test('a block gives back the entries it was built from, in both directions', () => {
  fc.assert(
    fc.property(entries, (list) => {
      const block = open(build(list))
      assert.deepEqual(copies(block, 1), list.map(describe))
      assert.deepEqual(copies(block, -1), list.map(describe).toReversed())
      const scratch = new KeyScratch()
      list.forEach(({ key: expected }, index) => {
        const length = block.keyInto(index, scratch)
        assert.deepEqual(Array.from(scratch.bytes.subarray(0, length)), Array.from(expected))
      })
    }),
  )
})

test('search over heads, search by an order and a naive search find the same place', () => {
  fc.assert(
    fc.property(entries, key, fc.oneof(fc.nat(100), fc.nat(2 ** 45), fc.constant(-1)), (list, probe, seqno) => {
      const block = open(build(list))
      const probes = [probe, ...list.map((each) => each.key)]
      for (const wanted of probes) {
        const before = ({ key: at, seqno: of }: ModelEntry): boolean => {
          const comparison = BYTEWISE.compare(at, 0, at.length, wanted, 0, wanted.length)
          return comparison < 0 || (comparison === 0 && of > seqno)
        }
        const expected = list.filter(before).length
        assert.equal(block.search(wanted, seqno), expected)
        assert.equal(block.searchBy(BYTEWISE, wanted, seqno, new KeyScratch()), expected)
        const found = block.find(wanted, seqno)
        const newest = newestAt(list, BYTEWISE, wanted, seqno)
        assert.equal(found < 0 ? undefined : list[found], newest)
        if (found < 0 && expected < list.length && wanted.length >= block.prefixLength) assert.ok(found <= ROW_ABSENT)
      }
    }),
  )
})

test('whatever its bytes, a block is refused or stays within them', () => {
  fc.assert(
    fc.property(
      entries,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      key,
      (list, writes, probe) => {
        const content = build(list)
        for (const [at, value] of writes) content[at % Math.min(content.length, 200)] = value
        let block: RowBlock
        try {
          block = open(content)
        } catch (error) {
          assert.ok(isCode(error, 'TABLE_CORRUPT'))
          return
        }
        copies(block, 1)
        copies(block, -1)
        block.find(probe, 5)
        block.search(probe, 5)
        for (let index = 0; index < block.count; index++) {
          const start = block.valueLengthAt(index)
          assert.ok(start >= 0 && start <= content.length)
          assert.ok(block.keyLengthAt(index) >= 0 && block.keyLengthAt(index) <= content.length)
        }
      },
    ),
    { numRuns: 500 },
  )
})
