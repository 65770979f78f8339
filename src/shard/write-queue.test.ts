import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../kernel/errors.ts'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { visitBatches } from './group-codec.ts'
import { journalPosition } from '../kernel/ids.ts'
import { KeepAlive } from './keep-alive.ts'
import { WriteQueue } from './write-queue.ts'
import { WriteRun } from './write-run.ts'

function queue(bytesMax: number, { clock = new SimulatedClock(), runBytesMax = 1 } = {}): WriteQueue<number> {
  return new WriteQueue<number>({ bytesMax, runBytesMax }, (operation, into) => into.u8(operation), {
    keepAlive: new KeepAlive(clock),
  })
}

/** The next, which are writes. */
function shiftRun(waiting: WriteQueue<number>): WriteRun {
  const first = waiting.shift()
  assert.ok(first instanceof WriteRun)
  return first
}

function operations(run: WriteRun): number[] {
  const found: number[] = []
  visitBatches(run.batches, journalPosition(0), (from) => found.push(from.u8()))
  return found
}

test('writes leave in the order they came, encoded when they came', () => {
  const waiting = queue(1000)
  for (let value = 0; value < 3000; value++) {
    void waiting.push([value % 256, 7], 'written', 'store')
    if (value % 3 === 2) {
      assert.deepEqual(operations(shiftRun(waiting)), [((value - 2) / 3) % 256, 7])
    }
    if (waiting.bytes > 900) break
  }
  assert.ok(waiting.bytes > 0)
})

test('writes that come one behind the other share a run and one promise a rung, up to its size', async () => {
  const waiting = queue(1000, { runBytesMax: 6 })
  const promises = [
    waiting.push([1], 'written', 'store'),
    waiting.push([2], 'synced', 'store'),
    waiting.push([3], 'written', 'store'),
    waiting.push([4], 'written', 'store'),
    waiting.push([5], 'written', 'free'),
  ]
  assert.equal(new Set(promises).size, 4)
  assert.equal(promises[0], promises[2])
  assert.equal(waiting.bytes, 10)
  const runs = [shiftRun(waiting), shiftRun(waiting), shiftRun(waiting)]
  assert.deepEqual(runs.map(operations), [[1, 2, 3], [4], [5]])
  assert.deepEqual([waiting.bytes, waiting.empty], [0, true])
  for (const run of runs) run.reject(new Error('gone'))
  for (const promise of promises) await assert.rejects(promise, /gone/)
})

test('a full queue rejects with BUSY, but one write always fits', async () => {
  const waiting = queue(0)
  const first = waiting.push([1, 2, 3], 'synced', 'store')
  await assert.rejects(
    waiting.push([4], 'written', 'store'),
    (error) => isCode(error, 'BUSY') && error.details['pending'] === 4,
  )
  shiftRun(waiting).reject(new Error('taken out'))
  await assert.rejects(first, /taken out/)
  assert.equal(waiting.bytes, 0)
  assert.ok(waiting.empty)
})

test('a queue takes writes until it has as many bytes as it may', async () => {
  const waiting = queue(5)
  void waiting.push([1, 2, 3], 'written', 'store')
  void waiting.push([4, 5], 'written', 'store')
  await assert.rejects(waiting.push([6], 'written', 'store'), { code: 'BUSY' })
  assert.deepEqual(operations(shiftRun(waiting)), [1, 2, 3])
  void waiting.push([6], 'written', 'store')
  assert.deepEqual(operations(shiftRun(waiting)), [4, 5])
  assert.deepEqual(operations(shiftRun(waiting)), [6])
})

test('a turn keeps its place among the writes, and is told when they are rejected', async () => {
  const waiting = queue(1000, { runBytesMax: 100 })
  const told: string[] = []
  const turn = (name: string): { run: () => void; reject: () => void } => ({
    run: () => void told.push(`${name} ran`),
    reject: () => void told.push(`${name} rejected`),
  })
  void waiting.push([1], 'written', 'store')
  waiting.pushTurn(turn('first'))
  const last = waiting.push([2], 'written', 'store')
  waiting.pushTurn(turn('second'))
  assert.deepEqual(operations(shiftRun(waiting)), [1])
  const next = waiting.shift()
  if (next !== undefined && 'run' in next) next.run()
  waiting.rejectAll(new Error('no more'))
  await assert.rejects(last)
  assert.deepEqual(told, ['first ran', 'second rejected'])
  assert.ok(waiting.empty)
})

test('the process is kept alive exactly while something waits', () => {
  const clock = new SimulatedClock()
  const waiting = queue(1000, { clock })
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
  const waiting = queue(1000, { runBytesMax: 100 })
  const first = waiting.push([1, 2], 'written', 'store')
  void waiting.push([3], 'written', 'free')
  const last = waiting.push([4], 'written', 'store')
  void waiting.push([5, 6], 'written', 'free')
  waiting.rejectWrites(new Error('full'), 'store')
  await assert.rejects(first, /full/)
  await assert.rejects(last, /full/)
  assert.equal(waiting.bytes, 5)
  assert.deepEqual(operations(shiftRun(waiting)), [3])
  assert.deepEqual(operations(shiftRun(waiting)), [5, 6])
  assert.ok(waiting.empty)
})

test('what has left the queue does not come back when the rest is rejected', async () => {
  const waiting = queue(1000, { runBytesMax: 100 })
  void waiting.push([1], 'written', 'free')
  const store = waiting.push([2], 'written', 'store')
  void waiting.push([3], 'written', 'free')
  assert.deepEqual(operations(shiftRun(waiting)), [1])
  waiting.rejectWrites(new Error('full'), 'store')
  await assert.rejects(store, /full/)
  assert.deepEqual(operations(shiftRun(waiting)), [3])
  assert.ok(waiting.empty)
  assert.equal(waiting.bytes, 0)
})
