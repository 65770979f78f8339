import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FragmentList } from './fragment-list.ts'
import type { RangeFragment } from './fragment-list.ts'
import { AFTER_ALL, BEFORE_ALL, cutAfter, cutBefore } from './key-cut.ts'
import { BYTEWISE } from './key-order.ts'
import { isBetween, wholeStretch } from './range-tombstone.ts'

const key = (number: number): Uint8Array => Uint8Array.of(number)

/** Every other stretch between the cuts of `numbers`, some of them adjoining. */
const lists = fc
  .tuple(fc.uniqueArray(fc.nat(40), { maxLength: 14 }), fc.infiniteStream(fc.nat(2)), fc.array(fc.nat(20)))
  .map(([numbers, chances, seqnos]) => {
    const cuts = numbers.sort((a, b) => a - b).map((number) => (number % 3 === 0 ? cutAfter : cutBefore)(key(number)))
    const fragments: RangeFragment[] = []
    for (let index = 0; index + 1 < cuts.length; index++) {
      if (chances.next().value === 0) continue
      const own = [...new Set([...seqnos.slice(index, index + 3), index + 1])].sort((a, b) => b - a)
      const lower = cuts[index] ?? BEFORE_ALL
      const upper = cuts[index + 1] ?? AFTER_ALL
      fragments.push({ lower, upper, seqnos: own.filter((seqno) => seqno > 0) })
    }
    return fragments
  })

test('a list of fragments answers as looking at each of them does', () => {
  fc.assert(
    fc.property(lists, (fragments) => {
      const list = new FragmentList(fragments, BYTEWISE)
      assert.equal(list.count, list.list().length)
      const newest = (number: number, seqno: number): number => {
        const visible = list
          .list()
          .filter((each) => each.seqno <= seqno && isBetween(each, BYTEWISE, key(number), 0, 1))
        return Math.max(0, ...visible.map((each) => each.seqno))
      }
      for (let number = 0; number <= 41; number++) {
        for (const seqno of [0, 3, 10, 30]) {
          assert.equal(list.newest(key(number), 0, 1, seqno), newest(number, seqno))
          const stretch = wholeStretch()
          list.stretch(key(number), 0, 1, seqno, stretch)
          assert.equal(stretch.seqno, newest(number, seqno))
          assert.ok(isBetween(stretch, BYTEWISE, key(number), 0, 1))
          for (let other = 0; other <= 41; other++) {
            if (isBetween(stretch, BYTEWISE, key(other), 0, 1)) assert.equal(newest(other, seqno), stretch.seqno)
          }
        }
      }
    }),
  )
})
