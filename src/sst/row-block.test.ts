import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EntryBatch } from '../kernel/entry-batch.ts'
import { isCode } from '../kernel/errors.ts'
import { emptyFound } from '../kernel/found.ts'
import { BYTEWISE } from '../kernel/key-order.ts'
import { batchesOf, describe, entryAt, newestAt, sortEntries } from '../testing/entry-model.ts'
import type { ModelEntry } from '../testing/entry-model.ts'
import { BlockMemory, BlockPiece } from './block-memory.ts'
import { KeyScratch } from './key-scratch.ts'
import { unpackBlock } from './packed-block.ts'
import { ROW_SAME_AT, RowBlock } from './row-block.ts'
import { ROW_ABSENT, findInBlock, searchBlock, searchBlockBy } from './row-block-search.ts'
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

/** Packed entries, and how long their block is. */
interface Built {
  readonly packed: Uint8Array
  readonly blockBytes: number
}

function build(list: readonly ModelEntry[]): Built {
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
  return { packed: builder.finish().slice(4), blockBytes: builder.blockBytes }
}

function unpack({ packed, blockBytes }: Built): Uint8Array {
  const block = new Uint8Array(blockBytes)
  block.set(packed, blockBytes - packed.length)
  unpackBlock(packed, block, undefined, place)
  return block
}

/** As one of version 1, which is checked: without the note of what all entries have alike. */
function version1Block(content: Uint8Array): RowBlock {
  const version1 = content.slice()
  version1[ROW_SAME_AT] = 0
  return new RowBlock(version1, new BlockPiece(version1), owner, 0, place)
}

function open(built: Built): RowBlock {
  const content = unpack(built)
  return new RowBlock(content, new BlockPiece(content), owner, 0, place, true)
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
    fc.property(entries, key, fc.oneof(fc.nat(100), fc.nat(2 ** 45), fc.constant(-1)), (list, probe, anySeqno) => {
      const block = open(build(list))
      const probes = [probe, ...list.map((each) => each.key)].map((wanted) => [wanted, anySeqno] as const)
      // An entry is seen at its own seqno: chance would seldom ask for that one.
      const own = list.map((each) => [each.key, each.seqno] as const)
      for (const [wanted, seqno] of [...probes, ...own]) {
        const before = ({ key: at, seqno: of }: ModelEntry): boolean => {
          const comparison = BYTEWISE.compare(at, 0, at.length, wanted, 0, wanted.length)
          return comparison < 0 || (comparison === 0 && of > seqno)
        }
        const expected = list.filter(before).length
        assert.equal(searchBlock(block, wanted, seqno), expected)
        assert.equal(searchBlockBy(block, BYTEWISE, wanted, seqno, new KeyScratch()), expected)
        const found = findInBlock(block, wanted, seqno)
        const newest = newestAt(list, BYTEWISE, wanted, seqno)
        assert.equal(found < 0 ? undefined : list[found], newest)
        if (found < 0 && expected < list.length && wanted.length >= block.prefixLength) assert.ok(found <= ROW_ABSENT)
      }
    }),
  )
})

test('whatever its bytes, a block of version 1 is refused or stays within them', () => {
  fc.assert(
    fc.property(
      entries,
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      key,
      (list, writes, probe) => {
        const content = unpack(build(list))
        for (const [at, value] of writes) content[at % Math.min(content.length, 200)] = value
        let block: RowBlock
        try {
          block = new RowBlock(content, new BlockPiece(content), owner, 0, place)
        } catch (error) {
          assert.ok(isCode(error, 'TABLE_CORRUPT'))
          return
        }
        copies(block, 1)
        copies(block, -1)
        findInBlock(block, probe, 5)
        searchBlock(block, probe, 5)
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

test('a packed block is no longer than its block, and unpacks to what passes every check of version 1', () => {
  const wide = fc.uint8Array({ minLength: 300, maxLength: 900 })
  const wideEntry = fc.record({
    key: fc.oneof(key, wide),
    seqno: fc.oneof(fc.constant(1), fc.nat(2 ** 9), fc.nat(2 ** 26), fc.nat(2 ** 46 - 2)),
    kind: fc.constantFrom(1, 2),
    value: fc.oneof(fc.uint8Array({ maxLength: 3 }), wide),
  })
  // Where all have the same of something, none of it is looked at.
  const alike = fc.record({
    key: fc.uint8Array({ minLength: 7, maxLength: 7 }),
    seqno: fc.constant(9),
    kind: fc.constant(1 as const),
    value: fc.oneof(fc.uint8Array({ minLength: 5, maxLength: 5 }), fc.uint8Array({ minLength: 5, maxLength: 6 })),
  })
  const lists = fc
    .oneof(fc.array(wideEntry, { minLength: 1, maxLength: 150 }), fc.array(alike, { minLength: 1, maxLength: 20 }))
    .map((list) => sortEntries(list, BYTEWISE))
  fc.assert(
    fc.property(lists, (list) => {
      const built = build(list)
      assert.ok(built.packed.length + 4 <= built.blockBytes)
      const content = unpack(built)
      const checked = version1Block(content)
      assert.deepEqual(copies(checked, 1), list.map(describe))
      const block = open(built)
      for (let index = 0; index < block.count; index++) {
        const [found, expected] = [emptyFound(), emptyFound()]
        block.foundAt(index, found)
        checked.foundAt(index, expected)
        assert.deepEqual({ ...found, block: undefined }, { ...expected, block: undefined })
        assert.equal(block.padAt(index), checked.padAt(index))
        assert.equal(block.keyRestAt(index + 1), checked.keyRestAt(index + 1))
        assert.equal(block.valueLengthAt(index), checked.valueLengthAt(index))
      }
      // Where the packed block is only in the end of the block, what is overwritten is taken out first.
      const inPlace = new Uint8Array(built.blockBytes)
      inPlace.set(built.packed, built.blockBytes - built.packed.length)
      unpackBlock(inPlace.subarray(built.blockBytes - built.packed.length), inPlace, new BlockMemory(), place)
      assert.deepEqual(inPlace, content)
    }),
  )
})

test('keys in step, equal lengths and one seqno take next to nothing beside what differs', () => {
  const list = Array.from({ length: 64 }, (_, index) => {
    return { key: Uint8Array.of(1, 2, 3, 4, index), seqno: 7, kind: 1 as const, value: new Uint8Array(10) }
  })
  const { packed } = build(list)
  // Header, four planes, prefix, values.
  assert.ok(packed.length <= 10 + 64 * 4 + 4 + 640, `${packed.length} bytes`)
  assert.deepEqual(
    [...packed.subarray(packed.length - 640 - 4 - 256, packed.length - 640 - 4 - 192)],
    [0, ...Array(63).fill(1)],
  )
})

test('whatever its bytes, a packed block is refused or gives a whole block', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 })
  let refused = 0
  fc.assert(
    fc.property(entries, damage, fc.boolean(), (list, writes, cut) => {
      const built = build(list)
      for (const [at, value] of writes) built.packed[at % Math.min(built.packed.length, 100)] = value
      const packed = cut ? built.packed.subarray(0, built.packed.length - 1) : built.packed
      let content: Uint8Array
      try {
        content = unpack({ ...built, packed })
      } catch (error) {
        assert.ok(isCode(error, 'TABLE_CORRUPT'))
        refused++
        return
      }
      copies(version1Block(content), 1)
    }),
    { numRuns: 1000 },
  )
  assert.ok(refused > 100 && refused < 1000)
})

test('a block that stays moves away from its neighbours, and one that has memory to itself stays where it is', () => {
  const list = Array.from({ length: 20 }, (_, index): ModelEntry => {
    return { key: Uint8Array.of(1, 2, 3, 4, 5, index), seqno: index, kind: 1, value: new Uint8Array(index) }
  })
  const alone = open(build(list))
  const { bytes: before } = alone
  alone.moveTo(new BlockMemory())
  assert.equal(alone.bytes, before)

  const memory = new BlockMemory()
  const content = memory.take(before.length)
  content.set(before)
  const block = new RowBlock(content, memory.pieceOf(content), owner, 0, place, true)
  const [kept, other] = [new BlockMemory(), new BlockMemory().take(8)]
  kept.take(other.length) // So that it does not come to lie at the same place.
  block.use()
  block.moveTo(kept)
  assert.equal(block.bytes.buffer, content.buffer, 'somebody has it')
  block.leave()
  block.moveTo(kept)
  content.fill(0xee)
  assert.notEqual(block.bytes.buffer, content.buffer)
  assert.deepEqual(copies(block, 1), list.map(describe))
})

test('a block of version 1 breaks none of its promises: each that is broken alone is damage', () => {
  const list = [5, 6].map((last): ModelEntry => {
    return { key: Uint8Array.of(last), seqno: 1, kind: 1, value: Uint8Array.of(2, 3, 4) }
  })
  const content = unpack(build(list))
  // Header, two heads, offsets of keys and of values, each three of two bytes, tags of a byte.
  const [keyOffsets, valueOffsets, tags] = [28, 34, 40]
  const whole = version1Block(content)
  assert.deepEqual([whole.count, whole.tagBytes, whole.valueLengthAt(0), whole.valueLengthAt(1)], [2, 1, 3, 3])
  assert.throws(() => version1Block(content.slice(0, 19)), {
    code: 'TABLE_CORRUPT',
    message: /shorter than its header/,
  })
  assert.throws(() => version1Block(content.slice(0, -1)), { code: 'TABLE_CORRUPT', message: /areas do not add up/ })
  const wrong: readonly [number, number, RegExp][] = [
    [0, 0, /no entries/],
    [0, 255, /columns run past the end/],
    [14, 0x20, /seqno base over 2\^53/],
    [16, 0, /bad tag size/],
    [16, 8, /bad tag size/],
    [keyOffsets, 1, /first offset is not 0/],
    [keyOffsets + 2, 1, /offsets do not ascend/],
    [keyOffsets + 4, 1, /areas do not add up/],
    [valueOffsets, 1, /first offset is not 0/],
    [valueOffsets + 2, 7, /offsets do not ascend/],
    [valueOffsets + 4, 5, /areas do not add up/],
    [tags, 5 * 16 + 1, /bad pad/],
  ]
  for (const [at, value, message] of wrong) {
    const changed = content.slice()
    changed[at] = value
    assert.throws(() => version1Block(changed), { code: 'TABLE_CORRUPT', message }, `byte ${at}`)
  }
  const long = list.map((each) => ({ ...each, key: Uint8Array.of(...each.key, 0, 0, 0, 7, 7) }))
  const padded = unpack(build(long))
  padded[tags] = 1 * 16 + 1
  assert.throws(() => version1Block(padded), { code: 'TABLE_CORRUPT', message: /bad pad/ }, 'a whole head has no pad')
})
