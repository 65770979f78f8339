import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BatchPool } from './batch-pool.ts'
import { ENTRY_PUT } from './entry.ts'

test('a batch comes back empty, at its full capacity and without the blocks of its last use', () => {
  const pool = new BatchPool()
  const batch = pool.take()
  const { capacity } = batch
  batch.limitTo(1)
  batch.reserveKey(3)
  batch.push(3, 1, ENTRY_PUT, batch.block(new Uint8Array(8)), 0, 8)
  assert.equal(batch.full, true)
  pool.give(batch)
  const again = pool.take()
  assert.equal(again, batch)
  assert.deepEqual([again.count, again.capacity, again.full, again.blocks.length], [0, capacity, false, 0])
  assert.notEqual(pool.take(), again)
})

test('a batch that long keys have grown is not kept', () => {
  const pool = new BatchPool()
  const batch = pool.take()
  batch.reserveKey(200_000)
  pool.give(batch)
  assert.notEqual(pool.take(), batch)
})
