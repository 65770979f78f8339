import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { headOf, toHex } from './bytes.ts'
import { EntryBatch } from './entry-batch.ts'

const entry = fc.record({
  key: fc.oneof(fc.uint8Array({ maxLength: 9 }), fc.uint8Array({ maxLength: 700, size: 'max' })),
  seqno: fc.maxSafeNat(),
  kind: fc.constantFrom(1, 2),
  block: fc.nat(12),
  start: fc.nat(50),
  length: fc.nat(50),
})
type Entry = typeof entry extends fc.Arbitrary<infer Value> ? Value : never

const blocks = Array.from({ length: 13 }, (_, block) => new Uint8Array(100).map((_unused, at) => block * 16 + at))

function push(batch: EntryBatch, { key, seqno, kind, block, start, length }: Entry): void {
  const at = batch.reserveKey(key.length)
  batch.keys.set(key, at)
  batch.push(key.length, seqno, kind, batch.block(blocks[block] as Uint8Array), start, length)
}

function expectEntries(batch: EntryBatch, entries: readonly Entry[]): void {
  assert.equal(batch.count, entries.length)
  for (const [index, { key, seqno, kind, block, start, length }] of entries.entries()) {
    assert.equal(toHex(batch.keyAt(index)), toHex(key))
    assert.equal(batch.heads[index], headOf(key, 0, key.length), 'the head is that of the key')
    assert.equal(batch.seqnos[index], seqno)
    assert.equal(batch.kinds[index], kind)
    assert.deepEqual(batch.valueAt(index), (blocks[block] as Uint8Array).slice(start, start + length))
    assert.deepEqual(batch.valueViewAt(index), batch.valueAt(index))
  }
}

const capacity = 40
const entries = fc.array(entry, { maxLength: capacity })

test('a batch holds what was pushed, however often it is cleared and however long keys are', () => {
  fc.assert(
    fc.property(fc.array(entries, { maxLength: 4 }), (rounds) => {
      const batch = new EntryBatch(capacity)
      for (const round of rounds) {
        batch.clear()
        assert.equal(batch.blocks.length, 0, 'clear lets go of blocks')
        for (const one of round) push(batch, one)
        expectEntries(batch, round)
        assert.equal(batch.full, round.length === capacity)
      }
    }),
    { numRuns: 100 },
  )
})

test('entries copied one by one or in ranges are the same, and outlive their source', () => {
  fc.assert(
    fc.property(entries, fc.array(fc.nat(capacity), { maxLength: 6 }), fc.boolean(), (given, cuts, inRanges) => {
      const source = new EntryBatch(capacity)
      for (const one of given) push(source, one)
      const target = new EntryBatch(capacity)
      const limits = [...cuts.filter((cut) => cut < given.length).toSorted((a, b) => a - b), given.length]
      let start = 0
      for (const limit of limits) {
        if (inRanges) target.pushRange(source, start, limit)
        else for (let index = start; index < limit; index++) target.pushFrom(source, index)
        start = limit
      }
      source.clear()
      source.keys.fill(0xee)
      expectEntries(target, given)
    }),
    { numRuns: 200 },
  )
})

test('a run of entries of one block names it once', () => {
  const batch = new EntryBatch(4)
  const block = new Uint8Array(10)
  assert.deepEqual(
    [batch.block(block), batch.block(block), batch.block(new Uint8Array(1)), batch.block(block)],
    [0, 0, 1, 2],
  )
})

test('a copied value is never shared memory', () => {
  const batch = new EntryBatch(1)
  const shared = new Uint8Array(new SharedArrayBuffer(8))
  batch.push(0, 1, 1, batch.block(shared), 2, 4)
  assert.ok(batch.valueAt(0).buffer instanceof ArrayBuffer)
  assert.equal(batch.valueViewAt(0).buffer, shared.buffer)
})

test('a capacity that does not fit the block index is refused', () => {
  assert.throws(() => new EntryBatch(0))
  assert.throws(() => new EntryBatch(0x10000))
})

test('a batch has the lease of every block it names until it forgets it, whichever way it came', () => {
  const counts = [0, 0, 0]
  const leases = counts.map((_, at) => ({
    use: () => void (counts[at] = (counts[at] as number) + 1),
    leave: () => void (counts[at] = (counts[at] as number) - 1),
  }))
  const named = (batch: EntryBatch, at: number): void => {
    const block = batch.block(blocks[at] as Uint8Array, false, leases[at])
    batch.keys.set([at], batch.reserveKey(1))
    batch.push(1, 1, 1, block, 0, 1)
  }
  const [first, second] = [new EntryBatch(capacity), new EntryBatch(capacity)]
  for (const at of [0, 0, 1, 2]) named(first, at)
  assert.deepEqual(counts, [1, 1, 1])
  second.pushFrom(first, 1)
  second.pushRange(first, 2, 4)
  assert.deepEqual(counts, [2, 2, 2])
  first.clear()
  first.clear()
  assert.deepEqual(counts, [1, 1, 1])
  second.clear()
  assert.deepEqual(counts, [0, 0, 0])
})
