import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareCuts, cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import type { KvTable } from './levels.ts'
import { mergeParts } from './merge-parts.ts'
import type { TableMeta } from './table-meta.ts'

const key = (number: number): Uint8Array => Uint8Array.of(number)

function tableOf(group: number, bytes: number, keys: readonly number[], samples: readonly number[]): KvTable {
  const [keyFirst, keyLast] = [key(keys[0] as number), key(keys.at(-1) as number)]
  const meta: TableMeta = {
    keyFirst,
    keyLast,
    entryCount: keys.length,
    deleteCount: 0,
    rangeCount: 0,
    lower: cutBefore(keyFirst),
    upper: cutAfter(keyLast),
    covers: [],
    samples: samples.map(key),
  }
  return { file: { ref: { bytes }, group, seqnoFirst: 1, seqnoLast: 2 }, meta } as unknown as KvTable
}

const table = fc
  .record({
    bytes: fc.integer({ min: 1, max: 1000 }),
    keys: fc.uniqueArray(fc.nat(255), { minLength: 1, maxLength: 6 }),
    // Of files of before: outside of the bounds, too.
    samples: fc.uniqueArray(fc.nat(255), { maxLength: 4 }),
  })
  .map(({ bytes, keys, samples }) => tableOf(0, bytes, keys.sort(ascending), samples.sort(ascending)))

test('every part has tables, and every table is in all parts that its keys are in, wherever samples are', () => {
  fc.assert(
    fc.property(
      fc.array(table, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 600 }),
      (tables, jobBytes) => {
        const parts = mergeParts(tables, BYTEWISE, jobBytes)
        let keysSeen = 0
        for (const { inputs, parameters } of parts) {
          assert.ok(inputs.length > 0 && parameters.runs.length > 0, 'a part without tables')
          assert.deepEqual(parameters.runs.flat().sort(ascending), [...inputs.keys()])
          for (let number = 0; number < 256; number++) {
            const place = cutBefore(key(number))
            const within =
              compareCuts(BYTEWISE, parameters.lower, place) <= 0 && compareCuts(BYTEWISE, place, parameters.upper) < 0
            if (within) keysSeen += inputs.filter((input) => holds(input, number)).length
          }
        }
        let keysThere = 0
        for (let number = 0; number < 256; number++) keysThere += tables.filter((each) => holds(each, number)).length
        assert.equal(keysSeen, keysThere)
      },
    ),
  )
})

function holds({ meta }: KvTable, number: number): boolean {
  return number >= (meta.keyFirst[0] as number) && number <= (meta.keyLast[0] as number)
}

function ascending(a: number, b: number): number {
  return a - b
}
