import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EntryBatch } from '../../kernel/entry-batch.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import { cutBefore } from '../../kernel/key-cut.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import { isBetween } from '../../kernel/range-tombstone.ts'
import type { RangeTombstone } from '../../kernel/range-tombstone.ts'
import { batchesOf } from '../../testing/entry-model.ts'
import type { ModelEntry } from '../../testing/entry-model.ts'
import { filterFragments, fragmentTombstones } from './fragmentation.ts'
import { Stripes } from './stripes.ts'
import { SEQNO_SETTLED, VersionFilter } from './version-filter.ts'

const NEWEST = 1000

/** What happens to keys 0 … 5, oldest first: each gets the next seqno. */
const history = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ type: fc.constant('put' as const), key: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('delete' as const), key: fc.nat(5) }) },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('range' as const),
        key: fc.nat(5),
        count: fc.integer({ min: 1, max: 6 }),
      }),
    },
  ),
  { maxLength: 30 },
)
const pins = fc.uniqueArray(fc.integer({ min: 1, max: 30 }), { maxLength: 4 }).map((each) => each.sort((a, b) => a - b))

test('a job changes nothing that any reader sees, keeps one entry for each stripe, and at the bottom no deletion', () => {
  fc.assert(
    fc.property(history, pins, fc.boolean(), (operations, pinned, bottom) => {
      const entries: ModelEntry[] = []
      const tombstones: RangeTombstone[] = []
      for (const [index, operation] of operations.entries()) {
        const seqno = index + 1
        const key = Uint8Array.of(operation.key)
        if (operation.type === 'range') {
          tombstones.push({
            lower: cutBefore(key),
            upper: cutBefore(Uint8Array.of(operation.key + operation.count)),
            seqno,
          })
        } else {
          const kind = operation.type === 'put' ? ENTRY_PUT : ENTRY_DELETE
          entries.push({ key, seqno, kind, value: Uint8Array.of(seqno) })
        }
      }
      entries.sort((a, b) => (a.key[0] as number) - (b.key[0] as number) || b.seqno - a.seqno)
      const stripes = new Stripes(pinned)
      const fragments = fragmentTombstones(tombstones, BYTEWISE, stripes)
      const filter = new VersionFilter(stripes, bottom, fragments, BYTEWISE)
      const kept = batchesOf(entries, 4).flatMap((batch) => {
        return Array.from({ length: batch.count }, (_, index) => index)
          .filter((index) => {
            filter.startsKey(batch, index)
            return filter.keeps(batch, index)
          })
          .map((index) => entryOf(batch, index))
      })
      const keptFragments = bottom ? filterFragments(fragments, (seqno) => stripes.of(seqno) > 0) : fragments
      const keptTombstones = keptFragments.flatMap(({ lower, upper, seqnos }) => {
        return seqnos.map((seqno) => ({ lower, upper, seqno }))
      })
      assert.equal(filter.dropped, entries.length - kept.length)
      for (const seqno of [...pinned, NEWEST]) {
        for (let number = 0; number < 8; number++) {
          const before = seenAt(entries, tombstones, number, seqno)
          const after = seenAt(kept, keptTombstones, number, seqno)
          // Without the bottom, a deletion must go on hiding what older tables may have.
          if (bottom) assert.equal(after > 0 ? after : 0, before > 0 ? before : 0)
          else assert.equal(after, before)
        }
      }
      for (const [index, entry] of kept.entries()) {
        const older = kept[index + 1]
        if (older === undefined || older.key[0] !== entry.key[0]) continue
        assert.ok(stripes.of(older.seqno) < stripes.of(entry.seqno))
      }
      for (const { seqno, value } of kept) {
        assert.equal(seqno, bottom && stripes.of(value[0] as number) === 0 ? SEQNO_SETTLED : value[0])
      }
      if (bottom && pinned.length === 0) {
        assert.ok(kept.every(({ kind }) => kind === ENTRY_PUT))
        assert.equal(keptTombstones.length, 0)
      }
    }),
    { numRuns: 2000 },
  )
})

/** Which value a reader sees, by the seqno it was written with; negative for a deletion, 0 for nothing. */
function seenAt(
  entries: readonly ModelEntry[],
  tombstones: readonly RangeTombstone[],
  number: number,
  seqno: number,
): number {
  const entry = entries.find((each) => each.key[0] === number && each.seqno <= seqno)
  const key = Uint8Array.of(number)
  const covering = tombstones.filter((each) => each.seqno <= seqno && isBetween(each, BYTEWISE, key, 0, 1))
  const newest = Math.max(0, ...covering.map((each) => each.seqno))
  if (entry === undefined || newest > entry.seqno) return newest === 0 ? 0 : -1
  return entry.kind === ENTRY_PUT ? (entry.value[0] as number) : -1
}

function entryOf(batch: EntryBatch, index: number): ModelEntry {
  const [seqno, kind] = [batch.seqnos[index] as number, batch.kinds[index] as number]
  return { key: batch.keyAt(index), seqno, kind, value: batch.valueViewAt(index).slice() }
}
