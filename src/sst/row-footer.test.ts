import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { PART_FOOTER, fileIdentity, partSeed } from './file-identity.ts'
import { FOOTER_BYTES, decodeFooter, encodeFooter } from './row-footer.ts'
import type { RowFooter } from './row-footer.ts'

const hash = await loadHash()
const place = { file: 'table', part: 'footer', offset: 100 } as const
const IDENTITY = fileIdentity(hash, place.file)
const FOOTER: RowFooter = {
  ranges: { offset: 40, length: 0, checksum: 1n },
  filter: { offset: 40, length: 20, checksum: 2n },
  index: { offset: 60, length: 30, checksum: 3n },
  properties: { offset: 90, length: 10, checksum: 4n },
}

const decoded = (bytes: Uint8Array): RowFooter => decodeFooter(bytes, hash, IDENTITY, place)

/** The footer, changed by `change` under checksums that are right. */
function sealed(change: (view: DataView) => void): Uint8Array {
  const bytes = encodeFooter(FOOTER, hash, IDENTITY, place.offset)
  const view = new DataView(bytes.buffer)
  change(view)
  view.setBigUint64(104, hash.hash64(bytes.subarray(0, 104), partSeed(IDENTITY, PART_FOOTER, place.offset)), true)
  const trailer = Uint8Array.of(...bytes.subarray(112, 116), ...bytes.subarray(120))
  view.setUint32(116, hash.hash32(trailer, Number(BigInt.asUintN(32, IDENTITY))), true)
  return bytes
}

test('a footer is found again in its file at its place, and every flipped bit is damage', () => {
  const bytes = encodeFooter(FOOTER, hash, IDENTITY, place.offset)
  assert.deepEqual([bytes.length, decoded(bytes)], [FOOTER_BYTES, FOOTER])
  assert.deepEqual(
    sealed(() => undefined),
    bytes,
  )
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice()
    damaged[at] = (damaged[at] as number) ^ (1 << (at % 8))
    assert.throws(() => decoded(damaged), { code: 'TABLE_CORRUPT' }, `byte ${at}`)
  }
  const elsewhere = { ...place, offset: 101 }
  assert.throws(() => decodeFooter(bytes, hash, IDENTITY, elsewhere), /checksum does not match/)
  assert.throws(() => decodeFooter(bytes, hash, IDENTITY + 1n, place), { code: 'TABLE_CORRUPT' })
})

test('a footer of another version is incompatible: told apart from damage by the end that all versions share', () => {
  for (const version of [0, 3]) {
    const bytes = sealed((view) => view.setUint32(112, version, true))
    bytes[50] = 0xee // What else a newer footer has is not known, so its checksum is not, either.
    assert.throws(() => decoded(bytes), { code: 'INCOMPATIBLE', message: new RegExp(`version ${version}`) })
  }
  assert.deepEqual(decoded(sealed((view) => view.setUint32(112, 1, true))), FOOTER)
})

test('an end that is none, parts that leave a gap, overlap, or are those of another file are damage under whatever checksums', () => {
  const wrong = [
    { change: (view: DataView) => view.setUint8(127, 0), reason: /no magic/ },
    { change: (view: DataView) => view.setBigUint64(0, IDENTITY + 1n, true), reason: /belongs to another file/ },
    { change: (view: DataView) => view.setBigUint64(8 + 24, 41n, true), reason: /parts do not adjoin/ },
    { change: (view: DataView) => view.setBigUint64(16 + 24, 19n, true), reason: /parts do not adjoin/ },
    { change: (view: DataView) => view.setBigUint64(16 + 72, 11n, true), reason: /parts do not adjoin/ },
  ]
  for (const { change, reason } of wrong)
    assert.throws(() => decoded(sealed(change)), { code: 'TABLE_CORRUPT', message: reason })
})
