import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../kernel/errors.ts'
import { WriteQueue } from './write-queue.ts'

function queue(bytesMax: number): WriteQueue<number> {
  return new WriteQueue<number>(bytesMax, (operation, into) => into.u8(operation))
}

test('writes leave in the order they came, encoded when they came', () => {
  const waiting = queue(1000)
  for (let value = 0; value < 3000; value++) {
    void waiting.push([value % 256, 7], 'written')
    if (value % 3 === 2) {
      const write = waiting.shift()
      assert.deepEqual(write?.bytes, Uint8Array.of(((value - 2) / 3) % 256, 7))
    }
    if (waiting.bytes > 900) break
  }
  assert.ok(waiting.bytes > 0)
})

test('a full queue rejects with BUSY, but one write always fits', async () => {
  const waiting = queue(0)
  const first = waiting.push([1, 2, 3], 'synced')
  await assert.rejects(waiting.push([4], 'written'), (error) => isCode(error, 'BUSY') && error.details['pending'] === 3)
  waiting.shift()?.settled.resolve()
  await first
  assert.equal(waiting.bytes, 0)
  assert.ok(waiting.empty)
})
