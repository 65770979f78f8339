import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seqno } from '../kernel/ids.ts'
import { decodeProperties, encodeProperties } from './row-properties.ts'

const place = { file: 'table', part: 'properties', offset: 5 } as const
const PROPERTIES = {
  entryCount: 5,
  deleteCount: 5,
  keyCount: 5,
  keyBytes: 300,
  valueBytes: 2 ** 40,
  rangeCount: 9,
  seqnoFirst: seqno(1),
  seqnoLast: seqno(2 ** 50),
  keyFirst: Uint8Array.of(1),
  keyLast: new Uint8Array(0),
  order: 'bytewise',
}

test('properties come back as they were written, and are damage where they end early or go on', () => {
  const bytes = encodeProperties(PROPERTIES)
  assert.deepEqual(decodeProperties(bytes, place), PROPERTIES)
  for (const wrong of [bytes.subarray(0, -1), Uint8Array.of(...bytes, 0), new Uint8Array(0)])
    assert.throws(() => decodeProperties(wrong, place), { code: 'TABLE_CORRUPT', message: /properties at table:5/ })
})

test('there are never more keys, or more deletions, than entries', () => {
  for (const more of [{ keyCount: 6 }, { deleteCount: 6 }]) {
    const bytes = encodeProperties({ ...PROPERTIES, ...more })
    assert.throws(() => decodeProperties(bytes, place), { code: 'TABLE_CORRUPT', message: /more keys or deletions/ })
  }
})
