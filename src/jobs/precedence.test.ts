import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { GivingWay, Precedence } from './precedence.ts'

/** Whether ordinary jobs should stand still. */
function stands({ cell }: Precedence): boolean {
  return Atomics.load(cell, 0) === 1
}

test('ordinary jobs stand still for urgent ones where threads outnumber cores, and only there', () => {
  const precedence = new Precedence(2)
  precedence.begin(true)
  assert.equal(stands(precedence), false, 'a flush and the program have a core each')
  precedence.begin(false)
  assert.equal(stands(precedence), true)
  precedence.begin(true)
  precedence.end(true)
  assert.equal(stands(precedence), true, 'another flush runs')
  precedence.end(true)
  assert.equal(stands(precedence), false, 'a merge and the program have a core each')

  const wide = new Precedence(4)
  for (const urgent of [true, false, false]) wide.begin(urgent)
  assert.equal(stands(wide), false)
  wide.begin(false)
  assert.equal(stands(wide), true)
})

test('an ordinary job stands still for 200 ms, and then half of the time', () => {
  const precedence = new Precedence(1)
  precedence.begin(false)
  const times: number[] = []
  const givingWay = new GivingWay(precedence.cell, () => times.shift() ?? NaN)
  /** Whether it stood, by a clock that says when it was asked and when it went on. */
  const stood = (...clock: readonly number[]): boolean => {
    times.push(...clock)
    const begin = performance.now()
    givingWay.giveWay()
    const left = times.splice(0).length
    // Where it did not stand nothing is measured: the system may have stopped this thread meanwhile.
    if (left === 0) assert.ok(performance.now() - begin > 20, 'it read the clock, and did not wait')
    return left === 0
  }
  assert.equal(stood(900, 1000), false, 'nobody has precedence')
  precedence.begin(true)
  assert.equal(stood(1000, 1120), true)
  assert.equal(stood(1121, 1202), true, 'the next urgent job came at once')
  assert.equal(stood(1202, 1203), false, 'that was all')
  assert.equal(stood(1301, 1400), true, 'since then it has worked')
})

const WAITS = `
  const { parentPort, workerData } = require('node:worker_threads')
  parentPort.postMessage('waiting')
  parentPort.postMessage(Atomics.wait(workerData, 0, 1, 60_000))`

test('the end of an urgent job lets them go on at once', async () => {
  const precedence = new Precedence(1)
  precedence.begin(false)
  precedence.begin(true)
  const worker = new Worker(WAITS, { eval: true, workerData: precedence.cell })
  await once(worker, 'message')
  const woken = once(worker, 'message')
  precedence.end(true)
  // Or it had not begun to wait, and found that it need not.
  assert.match(String(await woken), /ok|not-equal/)
  await once(worker, 'exit')
})
