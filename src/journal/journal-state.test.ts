import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Encoder } from '../kernel/codec.ts'
import { hashKey } from '../kernel/hash.ts'
import { decodeJournalState, encodeJournalState } from './journal-state.ts'
import { parseSegmentName, segmentName } from './segment-id.ts'
import { isFormerWitness } from './sync-witness.ts'

const IDENTITY = 5
const segment = { id: { epoch: 1, attempt: 2, index: 3 }, base: 10, end: 20 }
const state = { epoch: 2, attempt: 1, start: 20, segments: [segment] }

test('a state is found again under its own shard, and under no other', () => {
  const bytes = encodeJournalState(state, IDENTITY)
  assert.deepEqual(decodeJournalState(bytes, IDENTITY), state)
  assert.throws(() => decodeJournalState(bytes, IDENTITY + 1), { code: 'JOURNAL_CORRUPT' })
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice()
    damaged[at] = (damaged[at] ?? 0) ^ 4
    assert.throws(() => decodeJournalState(damaged, IDENTITY), { code: 'JOURNAL_CORRUPT' }, `byte ${at}`)
  }
})

test('positions beyond what can be counted exactly are damage, under whatever checksum', () => {
  const far = Number.MAX_SAFE_INTEGER
  for (const wrong of [
    { ...state, start: far },
    { ...state, segments: [{ ...segment, base: far }] },
    { ...state, segments: [{ ...segment, end: far }] },
  ]) {
    assert.throws(() => decodeJournalState(encodeJournalState(wrong, IDENTITY), IDENTITY), /impossible position/)
  }
})

test('a segment has one name, and another spelling of its numbers is none of ours', () => {
  assert.deepEqual(parseSegmentName(segmentName(segment.id)), segment.id)
  assert.equal(parseSegmentName(`9${'0'.repeat(18)}-0001-00000001.log`), undefined)
  assert.equal(parseSegmentName('backup.log'), undefined)
  assert.equal(parseSegmentName('0000000000000001-00002-00000003.log'), undefined, 'padded to more digits')
  assert.equal(parseSegmentName('9999999999999999-0001-00000001.log'), undefined, 'counted beyond 2^53')
})

test('a witness is of a former opening where its epoch is lower, or its attempt within the epoch', () => {
  const now = { epoch: 3, attempt: 2 }
  const former = ['synced.2-9', 'synced.3-1', 'synced.3-2', 'synced.3-3', 'synced.4-1', 'other'].map((name) =>
    isFormerWitness(name, now),
  )
  assert.deepEqual(former, [true, true, false, false, false, false])
})

test('a state is of its version, whole, and no longer than it says, under whatever checksum', () => {
  const sealed = (body: Uint8Array): Uint8Array =>
    new Encoder()
      .raw(body)
      .u32(hashKey(body, 0, body.length, IDENTITY))
      .finish()
  const body = encodeJournalState(state, IDENTITY).slice(0, -4)
  assert.deepEqual(decodeJournalState(sealed(body), IDENTITY), state)
  const wrong = [
    { body: Uint8Array.of(...body, 0), reason: /bytes left over/ },
    { body: body.slice(0, -1), reason: /count beyond the end/ },
    { body: new Uint8Array(0), reason: /ends early/ },
  ]
  for (const { body: wrongBody, reason } of wrong)
    assert.throws(() => decodeJournalState(sealed(wrongBody), IDENTITY), { code: 'JOURNAL_CORRUPT', message: reason })
  assert.throws(() => decodeJournalState(Uint8Array.of(1, 2, 3), IDENTITY), { code: 'JOURNAL_CORRUPT' })
  const newer = sealed(Uint8Array.of(2, ...body.slice(1)))
  assert.throws(() => decodeJournalState(newer, IDENTITY), { code: 'INCOMPATIBLE', message: /version 2/ })
})
