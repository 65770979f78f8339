import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seqno } from '../kernel/ids.ts'
import { PinnedSeqnos } from './pinned-seqnos.ts'

test('a seqno stays pinned until everyone who pinned it has let go, and the list ascends', () => {
  const pins = new PinnedSeqnos()
  for (const each of [10, 9, 10, 2]) pins.pin(seqno(each))
  assert.deepEqual(pins.list(), [2, 9, 10])
  pins.unpin(seqno(10))
  assert.deepEqual(pins.list(), [2, 9, 10], 'one of two has let go')
  pins.unpin(seqno(10))
  pins.unpin(seqno(2))
  assert.deepEqual(pins.list(), [9])
  assert.throws(() => pins.unpin(seqno(10)), /more often than pinned/)
})
