import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareCuts, cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import { divideKeys } from './key-division.ts'
import type { PartTable } from './key-division.ts'

const compare = (a: KeyCut, b: KeyCut): number => compareCuts(BYTEWISE, a, b)
const key = (number: number): Uint8Array => Uint8Array.of(number >>> 8, number)

const table: fc.Arbitrary<PartTable> = fc
  .record({
    bytes: fc.integer({ min: 1, max: 1000 }),
    keys: fc.uniqueArray(fc.nat(5000), { minLength: 1, maxLength: 6 }),
  })
  .map(({ bytes, keys }) => {
    const sorted = keys.sort((a, b) => a - b).map(key)
    const [first, last] = [sorted[0] as Uint8Array, sorted.at(-1) as Uint8Array]
    return { bytes, meta: { lower: cutBefore(first), upper: cutAfter(last), samples: sorted.slice(1, -1) } }
  })
const tables = fc.array(table, { minLength: 1, maxLength: 8 })

test('cuts ascend inside the bounds of the tables, and every part has something', () => {
  fc.assert(
    fc.property(tables, fc.integer({ min: 1, max: 400 }), (given, bytes) => {
      const cuts = divideKeys(given, BYTEWISE, bytes)
      const total = given.reduce((sum, each) => sum + each.bytes, 0)
      assert.ok(cuts.length * bytes <= total)
      const lower = given.map(({ meta }) => meta.lower).sort(compare)[0] as KeyCut
      const upper = given
        .map(({ meta }) => meta.upper)
        .sort(compare)
        .at(-1) as KeyCut
      const bounds = [lower, ...cuts, upper]
      for (let index = 1; index < bounds.length; index++) {
        const [from, to] = [bounds[index - 1] as KeyCut, bounds[index] as KeyCut]
        assert.ok(compare(from, to) < 0)
        assert.ok(given.some(({ meta }) => compare(meta.lower, to) < 0 && compare(meta.upper, from) > 0))
      }
    }),
  )
})

test('tables side by side are divided where they end, and one table at its samples', () => {
  const of = (first: number, last: number, samples: readonly number[] = []): PartTable => ({
    bytes: 100 * (samples.length + 1),
    meta: { lower: cutBefore(key(first)), upper: cutAfter(key(last)), samples: samples.map(key) },
  })
  const row = [of(0, 9), of(10, 19), of(20, 29), of(30, 39)]
  assert.deepEqual(
    divideKeys(row, BYTEWISE, 100),
    [9, 19, 29].map((end) => cutAfter(key(end))),
  )
  assert.deepEqual(divideKeys(row, BYTEWISE, 200), [cutAfter(key(19))])
  assert.deepEqual(divideKeys(row, BYTEWISE, 201), [])
  assert.deepEqual(
    divideKeys([of(0, 99, [20, 50, 70])], BYTEWISE, 100),
    [20, 50, 70].map((at) => cutBefore(key(at))),
  )
  // Eight tables' worth on two levels: what lies above counts where it lies.
  assert.deepEqual(divideKeys([of(0, 9, [3, 5, 7]), ...row], BYTEWISE, 400), [cutAfter(key(9))])
})

test('many bytes are divided among more jobs, so that none is larger than four parts', () => {
  const row = Array.from({ length: 100 }, (_, index): PartTable => {
    const [lower, upper] = [cutBefore(key(index * 10)), cutAfter(key(index * 10 + 9))]
    return { bytes: 100, meta: { lower, upper, samples: [] } }
  })
  assert.equal(divideKeys(row, BYTEWISE, 4000).length + 1, 2)
  assert.equal(divideKeys(row, BYTEWISE, 2500).length + 1, 4)
  assert.equal(divideKeys(row, BYTEWISE, 700).length + 1, 4)
  assert.equal(divideKeys(row, BYTEWISE, 250).length + 1, 10)
  assert.equal(divideKeys(row, BYTEWISE, 100).length + 1, 25)
})
