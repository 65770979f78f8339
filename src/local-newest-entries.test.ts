import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutAfter, cutBefore } from './kernel/key-cut.ts'
import { BYTEWISE } from './kernel/key-order.ts'
import { NewestEntries } from './local-newest-entries.ts'

const key = (number: number): Uint8Array => new Uint8Array(Buffer.from(String(number).padStart(6, '0')))

test('of every key the newest entry counts, once, unless a range deletion is newer', () => {
  const newest = new NewestEntries(BYTEWISE)
  const seqnos = [5, 9, 3]
  for (const seqno of seqnos) newest.add(key(1), seqno)
  newest.add(key(2), 4)
  newest.add(key(3), 8)
  // As they are found: neither in order, nor once each.
  newest.cover({ lower: cutBefore(key(3)), upper: cutAfter(key(3)), seqno: 7 })
  for (let time = 0; time < 2; time++) newest.cover({ lower: cutBefore(key(0)), upper: cutBefore(key(3)), seqno: 6 })
  const taken = (number: number, seqno: number): boolean =>
    newest.take({ key: key(number), seqno, value: new Uint8Array(0) })
  assert.deepEqual(
    seqnos.map((seqno) => taken(1, seqno)),
    [false, true, false],
  )
  assert.equal(taken(1, 9), false)
  assert.equal(taken(2, 4), false)
  assert.equal(taken(3, 8), true)
})

// Every entry was compared with every range deletion: a repair of a million of each would have taken years.
test('an entry is compared with a few of the range deletions, however many there are', () => {
  let compared = 0
  const order = {
    ...BYTEWISE,
    compare: (...given: Parameters<typeof BYTEWISE.compare>): number => {
      compared++
      return BYTEWISE.compare(...given)
    },
  }
  const newest = new NewestEntries(order)
  const count = 20_000
  for (let index = 0; index < count; index++)
    newest.cover({ lower: cutBefore(key(2 * index)), upper: cutAfter(key(2 * index)), seqno: 2000 + index })
  // Between them, and older than all.
  const entries = Array.from({ length: 1000 }, (_, index) => ({ key: key(20 * index + 1), seqno: index + 1 }))
  for (const entry of entries) newest.add(entry.key, entry.seqno)
  newest.add(key(8), 1)
  assert.equal(newest.take({ key: key(8), seqno: 1, value: undefined }), false)
  const before = compared
  for (const entry of entries) assert.ok(newest.take({ ...entry, value: undefined }))
  assert.ok(compared - before < 200 * entries.length, `${compared - before} comparisons`)
})
