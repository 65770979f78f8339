import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../kernel/errors.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { KeepAlive } from './keep-alive.ts'
import { WriteQueue } from './write-queue.ts'
import type { QueuedWrite } from './write-queue.ts'

function queue(bytesMax: number, clock = new SimulatedClock()): WriteQueue<number> {
  return new WriteQueue<number>(bytesMax, (operation, into) => into.u8(operation), { keepAlive: new KeepAlive(clock) })
}

/** The next, which is a write. */
function shiftWrite(waiting: WriteQueue<number>): QueuedWrite {
  const next = waiting.shift()
  assert.ok(next !== undefined && 'bytes' in next)
  return next
}

test('writes leave in the order they came, encoded when they came', () => {
  const waiting = queue(1000)
  for (let value = 0; value < 3000; value++) {
    void waiting.push([value % 256, 7], 'written', 'store')
    if (value % 3 === 2) {
      assert.deepEqual(shiftWrite(waiting).bytes, Uint8Array.of(((value - 2) / 3) % 256, 7))
    }
    if (waiting.bytes > 900) break
  }
  assert.ok(waiting.bytes > 0)
})

test('a full queue rejects with BUSY, but one write always fits', async () => {
  const waiting = queue(0)
  const first = waiting.push([1, 2, 3], 'synced', 'store')
  await assert.rejects(
    waiting.push([4], 'written', 'store'),
    (error) => isCode(error, 'BUSY') && error.details['pending'] === 3,
  )
  shiftWrite(waiting).settled.resolve()
  await first
  assert.equal(waiting.bytes, 0)
  assert.ok(waiting.empty)
})

test('a queue takes writes until it has as many bytes as it may', async () => {
  const waiting = queue(4)
  const taken = [waiting.push([1, 2, 3], 'written', 'store'), waiting.push([4, 5], 'written', 'store')]
  await assert.rejects(waiting.push([6], 'written', 'store'), { code: 'BUSY' })
  shiftWrite(waiting).settled.resolve()
  taken.push(waiting.push([6], 'written', 'store'))
  for (let left = 2; left > 0; left--) shiftWrite(waiting).settled.resolve()
  await Promise.all(taken)
})

test('a turn keeps its place among the writes, and is told when they are rejected', async () => {
  const waiting = queue(1000)
  const told: string[] = []
  const turn = (name: string): { run: () => void; reject: () => void } => ({
    run: () => void told.push(`${name} ran`),
    reject: () => void told.push(`${name} rejected`),
  })
  void waiting.push([1], 'written', 'store')
  waiting.pushTurn(turn('first'))
  const last = waiting.push([2], 'written', 'store')
  waiting.pushTurn(turn('second'))
  assert.deepEqual(shiftWrite(waiting).bytes, Uint8Array.of(1))
  const next = waiting.shift()
  if (next !== undefined && 'run' in next) next.run()
  waiting.rejectAll(new Error('no more'))
  await assert.rejects(last)
  assert.deepEqual(told, ['first ran', 'second rejected'])
  assert.ok(waiting.empty)
})

test('the process is kept alive exactly while something waits', () => {
  const clock = new SimulatedClock()
  const waiting = queue(1000, clock)
  for (let round = 0; round < 2; round++) {
    void waiting.push([1], 'written', 'store')
    void waiting.push([2], 'written', 'store')
    assert.equal(clock.pending, 1)
    waiting.shift()
    assert.equal(clock.pending, 1)
    waiting.shift()
    assert.equal(clock.pending, 0)
  }
})

test('writes that store can be rejected out of the middle, and the rest keeps its order and its bytes', async () => {
  const waiting = queue(1000)
  const first = waiting.push([1, 2], 'written', 'store')
  void waiting.push([3], 'written', 'free')
  const last = waiting.push([4], 'written', 'store')
  void waiting.push([5, 6], 'written', 'free')
  waiting.rejectStores(new Error('full'))
  await assert.rejects(first, /full/)
  await assert.rejects(last, /full/)
  assert.equal(waiting.bytes, 3)
  assert.deepEqual(shiftWrite(waiting).bytes, Uint8Array.of(3))
  assert.deepEqual(shiftWrite(waiting).bytes, Uint8Array.of(5, 6))
  assert.ok(waiting.empty)
})
