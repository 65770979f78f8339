/** What every memtable of ordered keys promises about range deletions, as tests. */

import assert from 'node:assert/strict'
import { BYTEWISE } from '../kernel/key-order.ts'
import { isAtOrAfterLower, isAtOrBeforeUpper, isEmptyRange } from '../kernel/key-range.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import { isBetween, wholeStretch } from '../kernel/range-tombstone.ts'
import type { OrderedReader } from '../memtable/ordered-memtable.ts'
import { DESCENDING } from './descending-order.ts'
import { bytes, promises, text } from './memtable-bench.ts'
import type { MemtableSuite } from './memtable-bench.ts'
import { SeededRandom } from './seeded-random.ts'

export function testRangeDeletions(suite: MemtableSuite): void {
  const promise = promises(suite)

  promise('a range deletion hides what is older, at its seqno and later, and nothing that is newer', (bench) => {
    for (const key of ['a', 'b', 'c', 'd']) bench.put(key, key) // 1 … 4
    bench.deleteRange({ lower: bytes('b'), upper: bytes('d'), upperOpen: true }) // 5
    bench.put('c', 'again') // 6
    const { memtable } = bench
    assert.equal(bench.get('a'), '1 put a', 'a key before the range keeps its value')
    assert.equal(bench.get('d'), '4 put d', 'so does an open bound')
    assert.equal(bench.get('b'), '5 delete ', 'a covered key is deleted, with the seqno of the range deletion')
    assert.equal(bench.get('bb'), '5 delete ', 'also one that was never written')
    assert.equal(bench.get('b', 4), '2 put b', 'readers at an older seqno see what was there')
    assert.equal(bench.get('c', 5), '5 delete ', 'at its own seqno it is deleted')
    assert.equal(bench.get('c'), '6 put again', 'what is written later is seen')
    assert.equal(memtable.rangeTombstones.count, 1, 'it is one tombstone')
    assert.deepEqual([memtable.count, memtable.keyCount], [6, 4], 'count is operations, keyCount keys of entries')
    const entries = ['a 1 put a', 'b 2 put b', 'c 6 put again', 'd 4 put d']
    assert.deepEqual(bench.scan({}), entries, 'cursors give entries, covered or not')
    bench.deleteRange({}) // 7
    assert.equal(bench.get('d'), '7 delete ', 'a range without bounds covers every key')
    assert.equal(bench.get(''), '7 delete ', 'also the empty one')
    assert.equal(bench.get('c', 6), '6 put again', 'and hides nothing before it')
  })

  promise('a memtable of range deletions alone has bytes, a count and seqnos', (bench) => {
    const { memtable } = bench
    bench.deleteRange({ lower: bytes('lower'), upper: bytes('upper') }, 7)
    bench.deleteRange({ upper: bytes('m') }, 9)
    assert.deepEqual([memtable.count, memtable.keyCount], [2, 0], 'count is operations')
    assert.deepEqual([memtable.seqnoFirst, memtable.seqnoLast], [7, 9], 'the range of seqnos is that of the operations')
    assert.ok(memtable.bytes >= 11, 'bytes are at least those of the bounds')
    assert.deepEqual(bench.scan({}), [], 'there are no entries')
    assert.equal(bench.get('a', 8), undefined, 'what is not covered is not found')
    assert.equal(bench.get('a'), '9 delete ', 'what is covered is deleted')
  })

  promise('the bounds of a range deletion may be overwritten after apply', (bench) => {
    const [lower, upper] = [Buffer.from('b'), Buffer.from('d')]
    bench.deleteRange({ lower, upper })
    lower.fill(0xff)
    upper.fill(0xff)
    assert.equal(bench.get('c'), '1 delete ', 'bounds are borrowed for the call only')
    assert.equal(bench.get('e'), undefined, 'bounds are borrowed for the call only')
  })

  for (const order of [BYTEWISE, DESCENDING]) {
    promise(
      `range tombstones answer as looking at each of them does, live and from the image: ${order.name}`,
      (bench) => {
        const random = new SeededRandom(42)
        const key = (): Uint8Array => Uint8Array.from({ length: random.below(3) }, () => 0x61 + random.below(6))
        const given: { readonly range: KeyRange; readonly at: number }[] = []
        for (let round = 0; round < 70; round++) {
          const range = {
            ...(random.once(8) ? {} : { lower: key(), lowerOpen: random.once(2) }),
            ...(random.once(8) ? {} : { upper: key(), upperOpen: random.once(2) }),
          }
          if (isEmptyRange(range, order)) bench.put(text(key()), 'v')
          else {
            bench.deleteRange(range)
            given.push({ range, at: bench.memtable.seqnoLast })
          }
          if (round % 10 === 0) compare(bench.memtable)
        }
        bench.memtable.freeze()
        compare(bench.memtable)
        compare(suite.openImage(structuredClone(bench.memtable.handOver()), order))

        function compare({ rangeTombstones }: OrderedReader): void {
          assert.equal(rangeTombstones.count, given.length, 'every range deletion is one tombstone')
          for (let probe = 0; probe < 60; probe++) {
            const sought = key()
            const at = 1 + random.below(75)
            const newest = newestOf(sought, at)
            const found = rangeTombstones.newest(sought, 0, sought.length, at)
            assert.equal(found, newest, 'newest is the newest that covers the key and is visible')
            const stretch = wholeStretch()
            rangeTombstones.stretch(sought, 0, sought.length, at, stretch)
            assert.equal(stretch.seqno, newest, 'stretch finds the same')
            assert.ok(isBetween(stretch, order, sought, 0, sought.length), 'a stretch holds its key')
            for (let neighbour = 0; neighbour < 20; neighbour++) {
              const other = key()
              if (!isBetween(stretch, order, other, 0, other.length)) continue
              assert.equal(newestOf(other, at), newest, 'the answer is the same in all of the stretch')
            }
          }
        }

        function newestOf(sought: Uint8Array, at: number): number {
          const covering = given.filter(
            (each) =>
              each.at <= at &&
              isAtOrAfterLower(each.range, order, sought, 0, sought.length) &&
              isAtOrBeforeUpper(each.range, order, sought, 0, sought.length),
          )
          return covering.at(-1)?.at ?? 0
        }
      },
      order,
    )
  }
}
