import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ENCRYPTION_MAGIC } from '../fs/encryption-magic.ts'
import { POSITION_ZERO, SEQNO_ZERO, epoch, fileName, shardId } from '../kernel/ids.ts'
import type { FileName, ShardId } from '../kernel/ids.ts'
import { decodeEdit, encodeEdit } from './edit.ts'
import { decodeHead, encodeHead, failHead } from './head-content.ts'
import type { HeadContent, Succession } from './head-content.ts'
import { clonedBy } from './pins.ts'

const [lead, other] = [shardId('lead'), shardId('other')]
const ref = { name: fileName('main.e1-m1.manifest'), bytes: 300, checksum: '00ff00ff00ff00ff' }
const PLAIN: HeadContent = {
  epoch: epoch(3),
  owner: 'us',
  commit: 9,
  journal: { name: 'local', version: 1 },
  engine: { name: 'kv', version: 2 },
  identity: { order: 'bytewise', format: 'row' },
  journalState: Uint8Array.of(1, 2),
  base: ref,
  deltas: [ref, ref],
  edits: [Uint8Array.of(4), new Uint8Array(0)],
  pins: [{ name: 'clone:x', files: [fileName('a'), fileName('b')] }],
}
const SPARSE: HeadContent = { ...PLAIN, identity: {}, journalState: undefined, base: undefined, deltas: [], pins: [] }
const SUCCESSIONS: readonly Succession[] = [
  { state: 'forming', lead, parents: [lead, other] },
  { state: 'sealed', lead, successors: [other] },
  { state: 'sealed', lead, successors: [] },
  { state: 'void' },
]

const decoded = (bytes: Uint8Array): HeadContent => decodeHead(bytes, 'head of main')

test('a head comes back as it was written; only with a succession is it of the format that older releases refuse', () => {
  for (const head of [PLAIN, SPARSE]) {
    const plain = encodeHead(head)
    assert.deepEqual([plain[0], decoded(plain)], [1, head])
    for (const succession of SUCCESSIONS) {
      const bytes = encodeHead({ ...head, succession })
      assert.deepEqual([bytes[0], decoded(bytes)], [2, { ...head, succession }])
    }
  }
})

test('a head that ends early, goes on, or has a succession in no known state is damage, and names itself', () => {
  const damaged = { code: 'HEAD_CORRUPT', message: /head of main is damaged at byte/ }
  for (const succession of [undefined, ...SUCCESSIONS]) {
    const bytes = encodeHead({ ...PLAIN, succession })
    for (let length = 0; length < bytes.length; length++)
      assert.throws(() => decoded(bytes.subarray(0, length)), damaged, `${length} bytes`)
    assert.throws(() => decoded(Uint8Array.of(...bytes, 0)), damaged)
  }
  const bytes = encodeHead({ ...PLAIN, succession: { state: 'void' } })
  bytes[bytes.length - 1] = 3
  assert.throws(() => decoded(bytes), { code: 'HEAD_CORRUPT', message: /unknown state of a succession/ })
})

test('a head of a newer format, or an encrypted one, is incompatible and not damaged', () => {
  const bytes = encodeHead(PLAIN)
  for (const version of [0, 3, 255]) {
    bytes[0] = version
    assert.throws(() => decoded(bytes), { code: 'INCOMPATIBLE', message: new RegExp(`head format ${version}`) })
  }
  const encrypted = new Uint8Array(200)
  encrypted.set(ENCRYPTION_MAGIC)
  assert.throws(() => decoded(encrypted), { code: 'INCOMPATIBLE', message: /no keys were given/ })
})

test('a name that is none, under a checksum that is right, is damage of the head or the edit that has it', () => {
  const none = 'Not/a name' as FileName & ShardId
  const damaged = { code: 'HEAD_CORRUPT', message: /is damaged at byte [1-9].*must match/ }
  const heads: readonly HeadContent[] = [
    { ...PLAIN, base: { ...ref, name: none } },
    { ...PLAIN, deltas: [ref, { ...ref, name: none }] },
    { ...PLAIN, pins: [{ name: 'x', files: [none] }] },
    { ...PLAIN, succession: { state: 'forming', lead: none, parents: [] } },
    { ...PLAIN, succession: { state: 'sealed', lead, successors: [other, none] } },
  ]
  for (const head of heads) assert.throws(() => decoded(encodeHead(head)), damaged)
  const edit = { removed: [], added: [], replayFrom: POSITION_ZERO, seqnoLast: SEQNO_ZERO }
  const file = {
    ref: { ...ref, name: none },
    format: { name: 'row', version: 1 },
    group: 0,
    seqnoFirst: SEQNO_ZERO,
    seqnoLast: SEQNO_ZERO,
    meta: new Uint8Array(0),
    view: new Uint8Array(0),
  }
  for (const bytes of [encodeEdit({ ...edit, removed: [none] }), encodeEdit({ ...edit, added: [file] })]) {
    const fail = (reason: string, at: number): never => failHead('head of main', reason, at)
    assert.throws(() => decodeEdit(bytes, fail), damaged)
  }
})

test('a pin whose name only begins like that of a clone is nobody’s clone, and keeps what it names', () => {
  assert.equal(clonedBy({ name: 'clone:other', files: [] }), other)
  for (const name of ['clone:', 'clone:a.b', 'clone:A', 'follower:x'])
    assert.equal(clonedBy({ name, files: [] }), undefined)
})
