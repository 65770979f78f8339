import assert from 'node:assert/strict'
import { test } from 'node:test'
import { journalPosition, seqno } from '../kernel/ids.ts'
import type { Memtable } from '../memtable/memtable.ts'
import { TableStack } from './table-stack.ts'

function memtable(): Memtable<never> {
  return { freeze: () => undefined } as unknown as Memtable<never>
}

test('a table that was made anew begins where those that it replaces began, also for who makes it anew again', () => {
  const [position, at] = [journalPosition, seqno]
  const oldest = memtable()
  const stack = new TableStack(oldest, position(0))
  stack.freeze(memtable(), position(10), at(1))
  stack.freeze(memtable(), position(20), at(2))
  stack.freeze(memtable(), position(30), at(3))
  assert.deepEqual(stack.startAfter(at(1)), { position: 10, seqnoBefore: 1 })
  const next = memtable()
  assert.equal(stack.rewind(at(1), next).length, 3)
  assert.deepEqual(stack.list(), [next, oldest])
  assert.deepEqual(stack.startAfter(at(1)), { position: 10, seqnoBefore: 1 }, 'it holds what lies there')
  stack.freeze(memtable(), position(40), at(4))
  assert.equal(stack.newestFrozen?.positionFirst, 10)
  assert.deepEqual(stack.startAfter(at(3)), { position: 10, seqnoBefore: 1 })
  assert.deepEqual(stack.startAfter(at(4)), { position: 40, seqnoBefore: 4 })
})
