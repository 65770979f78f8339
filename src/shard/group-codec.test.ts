import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Encoder } from '../kernel/codec.ts'
import type { Decoder } from '../kernel/codec.ts'
import { SEQNO_MAX, journalPosition, seqno } from '../kernel/ids.ts'
import { beginGroup, readGroup, visitGroup } from './group-codec.ts'

const POSITION = journalPosition(1000)

/** A group of batches of numbers, beginning with seqno `first`. */
function groupOf(first: number, batches: readonly (readonly number[])[]): Uint8Array {
  const encoder = new Encoder()
  beginGroup(encoder, seqno(first))
  for (const batch of batches) {
    encoder.varint(batch.length)
    for (const operation of batch) encoder.u8(operation)
  }
  return encoder.finish()
}

function visited(payload: Uint8Array): readonly string[] {
  const found: string[] = []
  const last = visitGroup(
    payload,
    POSITION,
    (from) => from.u8(),
    (operation, at, position) => found.push(`${operation} at ${at} from ${position}`),
  )
  return [...found, `last ${last}`]
}

const passOver = (from: Decoder): void => void from.u8()

test('operations take consecutive seqnos across batches, and say where they lie in the journal', () => {
  const group = groupOf(7, [[10, 11], [12]])
  assert.equal(readGroup(group, POSITION, seqno(6), passOver), 9, 'it goes on after 6')
  for (const other of [5, 7]) {
    const elsewhere = { code: 'JOURNAL_CORRUPT', message: new RegExp(`starts with seqno 7, expected ${other + 1}`) }
    assert.throws(() => readGroup(group, POSITION, seqno(other), passOver), elsewhere)
  }
  assert.deepEqual(visited(group), ['10 at 7 from 1003', '11 at 8 from 1004', '12 at 9 from 1006', 'last 9'])
  assert.deepEqual(visited(groupOf(7, [])), ['last 6'])
})

test('a batch without operations, which is never written, is told: decode did not read what encode wrote', () => {
  const group = groupOf(7, [[10], [], [12]])
  assert.throws(() => visited(group), { code: 'JOURNAL_CORRUPT', message: /without operations/ })
})

test('a group of a newer format is incompatible, and nothing of it is applied', () => {
  const group = groupOf(7, [[10]])
  group[0] = 2
  assert.throws(() => visited(group), { code: 'INCOMPATIBLE', message: /group format 2 at 1000/ })
})

test('a group is damage where it ends early, and where its seqnos would go beyond what can be counted', () => {
  const whole = groupOf(300, [[10, 11]])
  for (let length = 0; length < whole.length; length++) {
    if (length === 3) continue // Without a batch it is a group, too.
    const cut = whole.subarray(0, length)
    assert.throws(() => visited(cut), { code: 'JOURNAL_CORRUPT', message: /at position 100\d/ }, `${length} bytes`)
    assert.throws(() => readGroup(cut, POSITION, seqno(299), passOver), { code: 'JOURNAL_CORRUPT' })
  }
  // Room for as many operations as the group has bytes at most.
  const most = groupOf(SEQNO_MAX - 11, [[10, 11]])
  assert.equal(most.length, 12)
  assert.equal(visited(most).at(-1), `last ${SEQNO_MAX - 10}`)
  const beyond = groupOf(SEQNO_MAX - 10, [[10, 11]])
  assert.throws(() => visited(beyond), { code: 'JOURNAL_CORRUPT', message: /impossible seqno/ })
})
