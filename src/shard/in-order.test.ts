import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../testing/simulated-clock.ts'
import { inOrder } from './in-order.ts'
import { KeepAlive } from './keep-alive.ts'
import { Progress } from './progress.ts'
import type { QueuedTurn } from './write-queue.ts'

/** Writes that are held back: turns wait until the test takes them. */
class HeldWrites {
  readonly turns: QueuedTurn[] = []

  inOrder(turn: QueuedTurn): void {
    this.turns.push(turn)
  }
}

const progressOf = (): Progress => new Progress(new KeepAlive(new SimulatedClock()))

test('work is done at its place among the writes, once they go on, and its result is told', async () => {
  const [writes, progress] = [new HeldWrites(), progressOf()]
  let isDone = false
  const result = inOrder(
    writes,
    progress,
    () => undefined,
    () => {
      isDone = true
      return 7
    },
  )
  progress.wake()
  await Promise.resolve()
  assert.equal(isDone, false)
  writes.turns[0]?.run()
  assert.equal(isDone, true, 'in the same turn')
  assert.equal(await result, 7)
})

test('work that nobody waits for any more is not done when its turn comes: it would hold writes back, or pin, for nobody', async () => {
  const [writes, progress] = [new HeldWrites(), progressOf()]
  const reason = new Error('what holds writes back has failed')
  let failed = false
  const check = (): void => {
    if (failed) throw reason
  }
  let count = 0
  const refused = inOrder(writes, progress, check, () => count++)
  const rejection = assert.rejects(refused, reason)
  failed = true
  progress.wake()
  await rejection
  writes.turns[0]?.run()
  assert.equal(count, 0)
})

test('work whose turn was rejected ends with what the check says of it', async () => {
  const [writes, progress] = [new HeldWrites(), progressOf()]
  const reason = new Error('the shard is closing')
  let closing = false
  const check = (): void => {
    if (closing) throw reason
  }
  const rejection = assert.rejects(
    inOrder(writes, progress, check, () => assert.fail('it was rejected')),
    reason,
  )
  closing = true
  writes.turns[0]?.reject(reason)
  await rejection
})
