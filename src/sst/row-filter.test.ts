import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashKey } from '../kernel/hash.ts'
import { writeU32 } from './columns.ts'
import { RowFilter, RowFilterBuilder } from './row-filter.ts'

const place = { file: 'table', part: 'filter', offset: 0 } as const

function hashOf(number: number): number {
  const key = new TextEncoder().encode(`key ${number}`)
  return hashKey(key, 0, key.length, 0)
}

function falsePositives(bitsPerKey: number, keyCount: number): number {
  const builder = new RowFilterBuilder()
  for (let number = 0; number < keyCount; number++) builder.add(hashOf(number))
  const filter = new RowFilter(builder.finish(bitsPerKey), place)
  for (let number = 0; number < keyCount; number++)
    assert.ok(filter.mayContain(hashOf(number)), 'a filter denies no key')
  let positives = 0
  for (let number = keyCount; number < keyCount + 50_000; number++) if (filter.mayContain(hashOf(number))) positives++
  return positives / 50_000
}

test('a filter denies no key it was given and nearly all others, at about 1% with 10 bits', () => {
  const rate = falsePositives(10, 50_000)
  assert.ok(rate < 0.013, `false positives at 10 bits: ${rate}`)
  assert.ok(rate > 0.002, 'a rate this low means that the test tests nothing')
  assert.ok(falsePositives(5, 50_000) < 0.12)
  assert.ok(falsePositives(16, 50_000) < 0.003)
})

test('a filter of a single key works', () => {
  assert.ok(falsePositives(10, 1) < 0.01)
})

test('a filter is whole lines, and has as many probes as a writer gives it', () => {
  const filter = (lineBytes: number, probes: number): RowFilter => {
    const bytes = new Uint8Array(4 + lineBytes)
    writeU32(bytes, 0, probes)
    return new RowFilter(bytes, place)
  }
  for (const probes of [1, 16]) assert.equal(filter(64, probes).mayContain(hashOf(1)), false)
  for (const lineBytes of [-4, 0, 60, 63, 65, 127])
    assert.throws(() => filter(lineBytes, 1), { code: 'TABLE_CORRUPT', message: /not a whole number of lines/ })
  for (const probes of [0, 17, 0xffff_ffff])
    assert.throws(() => filter(64, probes), { code: 'TABLE_CORRUPT', message: /bad number of probes/ })
})
