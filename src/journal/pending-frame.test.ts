import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KIB } from '../kernel/limits.ts'
import { PendingFrame, StagingPool } from './pending-frame.ts'

const POSITION = 100

test('a frame takes small batches while they fit, and is as it was after one that it does not take', () => {
  const pool = new StagingPool()
  const small = new Uint8Array(10_000)
  const frame = PendingFrame.of(small, POSITION, pool)
  let count = 1
  while (frame.add(small)) count++
  assert.equal(count, 6, '64 KiB')
  const { bytes, end } = frame
  assert.equal(end, POSITION + count * small.length)
  for (const refused of [small, new Uint8Array(16 * KIB + 1)]) assert.equal(frame.add(refused), false)
  assert.deepEqual([frame.bytes, frame.end], [bytes, end])
  assert.ok(frame.add(new Uint8Array(64 * KIB - bytes - 2)), 'what is left over, but for its length')
  assert.equal(frame.bytes, 64 * KIB)
})

test('a large batch and a mark have a frame to themselves', () => {
  const pool = new StagingPool()
  const one = Uint8Array.of(1)
  assert.equal(PendingFrame.of(new Uint8Array(16 * KIB + 1), POSITION, pool).add(one), false)
  assert.ok(PendingFrame.of(new Uint8Array(16 * KIB), POSITION, pool).add(one))
  assert.equal(PendingFrame.mark(POSITION).add(one), false)
  assert.equal(PendingFrame.mark(POSITION).end, POSITION)
})

test('buffers are lent again, but no more of them are kept than a device falls behind by', () => {
  const pool = new StagingPool()
  const taken = Array.from({ length: 10 }, () => pool.take())
  for (const buffer of taken) pool.give(buffer)
  const again = Array.from({ length: 10 }, () => pool.take())
  assert.equal(again.filter((buffer) => taken.includes(buffer)).length, 8)
})

test('everybody in a frame that failed is told, who waits for the sync as well', async () => {
  const pool = new StagingPool()
  const cause = new Error('no')
  const [watched, other] = [PendingFrame.of(Uint8Array.of(1), POSITION, pool), PendingFrame.mark(POSITION)]
  const synced = watched.wantSynced()
  assert.equal(watched.wantSynced(), synced)
  for (const frame of [watched, other]) frame.reject(cause)
  for (const promise of [watched.written.promise, synced, other.written.promise])
    await assert.rejects(promise, (error) => error === cause)
})
