import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { AFTER_ALL, BEFORE_ALL, compareCuts, cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { RangeFragment } from '../../kernel/fragment-list.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import { RangeOutputs } from './range-outputs.ts'

const cuts = fc
  .tuple(fc.nat(30), fc.boolean())
  .map(([number, after]) => (after ? cutAfter : cutBefore)(Uint8Array.of(number)))
const ascending = fc
  .array(cuts, { maxLength: 12 })
  .map((each) => each.sort((a, b) => compareCuts(BYTEWISE, a, b)))
  .map((each) => each.filter((cut, index) => index === 0 || compareCuts(BYTEWISE, each[index - 1] as KeyCut, cut) < 0))

test('outputs together have all tombstones, each its own part, and none reaches beyond where the next begins', () => {
  fc.assert(
    fc.property(ascending, fc.infiniteStream(fc.boolean()), ascending, (bounds, chances, splits) => {
      const fragments: RangeFragment[] = []
      for (const [index, upper] of bounds.entries()) {
        const lower = bounds[index - 1]
        if (lower !== undefined && chances.next().value) fragments.push({ lower, upper, seqnos: [index] })
      }
      const outputs = new RangeOutputs(fragments, BYTEWISE)
      const dealt: RangeFragment[] = []
      let from = BEFORE_ALL
      for (const until of [...splits, AFTER_ALL]) {
        for (const part of outputs.takeUntil(until)) {
          assert.ok(compareCuts(BYTEWISE, from, part.lower) <= 0)
          assert.ok(compareCuts(BYTEWISE, part.lower, part.upper) < 0)
          assert.ok(compareCuts(BYTEWISE, part.upper, until) <= 0)
          dealt.push(part)
        }
        from = until
      }
      // Put together again where they were cut, they are what they were.
      const joined: RangeFragment[] = []
      for (const part of dealt) {
        const last = joined.at(-1)
        if (last !== undefined && last.seqnos[0] === part.seqnos[0]) {
          assert.equal(compareCuts(BYTEWISE, last.upper, part.lower), 0)
          joined[joined.length - 1] = { ...last, upper: part.upper }
        } else joined.push(part)
      }
      assert.deepEqual(joined, fragments)
      assert.deepEqual(outputs.takeUntil(AFTER_ALL), [])
    }),
  )
})
