import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../kernel/bytes.ts'
import { loadHash } from '../kernel/hash.ts'
import { shardId } from '../kernel/ids.ts'
import { HEAD_FILE_BYTES_MAX, decodeHeadFile, encodeHeadFile, headFileName } from './head-file.ts'

const hash = await loadHash()
const SHARD = shardId('main')

/** Version 7 of the head of `main`, with the content `content`. */
const GOLDEN = [
  '56485244', // magic
  '01000000', // format
  '07000000', // length
  '00000000', // zero
  '32fab4783f6cb1a1', // checksum
  '636f6e74656e74', // content
].join('')

test('a head file has the bytes that docs/formats/head-store.md says, and old ones can be read', () => {
  const content = new TextEncoder().encode('content')
  assert.equal(headFileName(SHARD, 7), 'main.head-0000000000000007')
  assert.equal(toHex(encodeHeadFile(SHARD, 7, content, hash)), GOLDEN)
  assert.deepEqual(decodeHeadFile(SHARD, 7, Buffer.from(GOLDEN, 'hex'), 'path', hash), Buffer.from(content))
})

test('a head file that is longer than any, or has any byte changed, is damage', () => {
  const bytes = encodeHeadFile(SHARD, 7, new Uint8Array(40), hash)
  const damaged = { code: 'HEAD_CORRUPT' }
  for (let at = 0; at < bytes.length; at++) {
    const changed = bytes.slice()
    changed[at] = (changed[at] ?? 0) ^ 1
    assert.throws(() => decodeHeadFile(SHARD, 7, changed, 'path', hash), damaged, `byte ${at}`)
  }
  const long = new Uint8Array(HEAD_FILE_BYTES_MAX + 1)
  long.set(bytes)
  assert.throws(() => decodeHeadFile(SHARD, 7, long, 'path', hash), /too long/)
  for (const length of [0, 23])
    assert.throws(() => decodeHeadFile(SHARD, 7, bytes.subarray(0, length), 'path', hash), /ends early/)
  assert.throws(() => decodeHeadFile(SHARD, 8, bytes, 'path', hash), damaged, 'another version')
  assert.throws(() => decodeHeadFile(shardId('other'), 7, bytes, 'path', hash), damaged, 'another shard')
})

test('a field that contradicts the others is damage also where the checksum is right', () => {
  const sealed = (at: number, value: number): Uint8Array => {
    const bytes = encodeHeadFile(SHARD, 7, new Uint8Array(40), hash)
    const view = new DataView(bytes.buffer)
    view.setUint32(at, value, true)
    const stream = hash.stream64(hash.hash64(new TextEncoder().encode(headFileName(SHARD, 7)), 0n))
    stream.update(bytes.subarray(0, 16))
    stream.update(bytes.subarray(24))
    view.setBigUint64(16, stream.digest(), true)
    return bytes
  }
  assert.equal(decodeHeadFile(SHARD, 7, sealed(12, 0), 'path', hash).length, 40)
  const wrong = [
    { at: 4, value: 2, code: 'INCOMPATIBLE', reason: /format 2/ },
    { at: 8, value: 41, code: 'HEAD_CORRUPT', reason: /byte 8: its length does not match/ },
    { at: 8, value: 39, code: 'HEAD_CORRUPT', reason: /byte 8: its length does not match/ },
    { at: 12, value: 1, code: 'HEAD_CORRUPT', reason: /byte 12: it is not zero/ },
  ]
  for (const { at, value, code, reason } of wrong)
    assert.throws(() => decodeHeadFile(SHARD, 7, sealed(at, value), 'path', hash), { code, message: reason })
})
