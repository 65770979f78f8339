import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashKey } from '../kernel/hash.ts'
import { POSITION_MAX } from './frame.ts'
import { decodeSegmentHeader, encodeSegmentHeader } from './segment-header.ts'

const IDENTITY = 9
const ID = { epoch: 5, attempt: 1, index: 7 }

/** The header, with a word of it changed under a checksum that is right. */
function sealed(at: number, value: number): Uint8Array {
  const bytes = encodeSegmentHeader(ID, { base: 3, syncedUpTo: 2 }, IDENTITY)
  const view = new DataView(bytes.buffer)
  view.setUint32(at, value, true)
  view.setUint32(0, hashKey(bytes, 4, bytes.length, IDENTITY), true)
  return bytes
}

test('a header is found again under its own identity, and is none where any bit or its end is missing', () => {
  for (const header of [
    { base: 0, syncedUpTo: 0 },
    { base: POSITION_MAX, syncedUpTo: POSITION_MAX },
  ]) {
    const bytes = encodeSegmentHeader(ID, header, IDENTITY)
    assert.deepEqual(decodeSegmentHeader(bytes, IDENTITY, 'path'), header)
    assert.equal(decodeSegmentHeader(bytes, IDENTITY + 1, 'path'), undefined)
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice()
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8))
      assert.equal(decodeSegmentHeader(damaged, IDENTITY, 'path'), undefined, `byte ${at}`)
      assert.equal(decodeSegmentHeader(bytes.subarray(0, at), IDENTITY, 'path'), undefined, `${at} bytes`)
    }
  }
})

test('whole bytes are none of ours by another magic or impossible positions, and incompatible by another version', () => {
  assert.ok(decodeSegmentHeader(sealed(48, 1), IDENTITY, 'path') !== undefined, 'what is zero now may say more one day')
  assert.equal(decodeSegmentHeader(sealed(4, 1), IDENTITY, 'path'), undefined)
  assert.equal(decodeSegmentHeader(sealed(36, 2 ** 21), IDENTITY, 'path'), undefined, 'base')
  assert.equal(decodeSegmentHeader(sealed(44, 2 ** 21), IDENTITY, 'path'), undefined, 'syncedUpTo')
  assert.throws(() => decodeSegmentHeader(sealed(8, 2), IDENTITY, 'path'), {
    code: 'INCOMPATIBLE',
    message: /format 2/,
  })
})
