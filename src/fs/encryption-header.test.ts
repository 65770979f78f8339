import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../kernel/hash.ts'
import { SeededRandom } from '../testing/seeded-random.ts'
import { ChunkCipher, TAG_BYTES, secretOf } from './aes-gcm.ts'
import { HEADER_BYTES, keyIdOf, newHeader, openHeader } from './encryption-header.ts'
import { KeyRing } from './key-ring.ts'

const hash = await loadHash()
const keys = new KeyRing([{ id: 'one', secret: new Uint8Array(32).fill(1) }])
const corrupt = (reason: string): Error => new Error(`corrupt: ${reason}`)

/** Of a table, with its checksum made right again after `change`. */
function header(change: (bytes: Uint8Array) => void = () => undefined): Uint8Array {
  const { header: bytes } = newHeader('file', 'a.table', keys, new SeededRandom(1), hash)
  change(bytes)
  const seed = hash.hash64(new TextEncoder().encode('a.table'), 0n)
  new DataView(bytes.buffer).setBigUint64(
    HEADER_BYTES - 8,
    hash.hash64(bytes.subarray(0, HEADER_BYTES - 8), seed),
    true,
  )
  return bytes
}

const idOf = (bytes: Uint8Array, name = 'a.table', kind: 'file' | 'head' = 'file'): string =>
  keyIdOf(bytes, kind, name, hash, corrupt as never)

test('a header names its key, and is of one file and one kind', () => {
  assert.equal(idOf(header()), 'one')
  assert.throws(() => idOf(header(), 'b.table'), /corrupt: its header is damaged, or that of another name/)
  assert.throws(() => idOf(header(), 'a.table', 'head'), /corrupt: it is not an encrypted head/)
  assert.throws(() => idOf(header().subarray(0, HEADER_BYTES - 1)), /corrupt: it ends within its header/)
  assert.throws(() => idOf(new Uint8Array(HEADER_BYTES)), /corrupt: it does not begin as/)
})

test('any byte of a header that is changed is damage, and under a right checksum nothing impossible is believed', () => {
  for (let at = 0; at < HEADER_BYTES; at++) {
    const changed = header()
    changed[at] = (changed[at] ?? 0) ^ 1
    assert.throws(() => idOf(changed), /corrupt/, `byte ${at}`)
  }
  // Where docs/formats/encrypted-file.md has it.
  const length = 11
  for (const wrong of [0, 33]) {
    assert.throws(() => idOf(header((bytes) => (bytes[length] = wrong))), /corrupt|encryption format/)
  }
})

test('another secret under the same identifier is told from damage, and a chunk is opened only as what it is', () => {
  const others = new KeyRing([{ id: 'one', secret: new Uint8Array(32).fill(2) }])
  assert.throws(() => openHeader(header(), 'file', 'a.table', others, hash, corrupt as never), { code: 'WRONG_KEY' })
  const cipher = new ChunkCipher(secretOf(new Uint8Array(32)), new Uint8Array(32), 'context')
  const sealed = new Uint8Array(5 + TAG_BYTES)
  cipher.seal(1, false, Buffer.from('plain'), sealed, 0)
  assert.equal(Buffer.from(cipher.open(1, false, sealed) ?? []).toString(), 'plain')
  assert.equal(cipher.open(2, false, sealed), undefined, 'another place')
  assert.equal(cipher.open(1, true, sealed), undefined, 'not the last one')
  assert.equal(cipher.open(1, false, sealed.subarray(0, TAG_BYTES - 1)), undefined, 'shorter than a tag')
})
