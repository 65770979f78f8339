/** A queue in a shard: put at the back, read first, delete. What readers pass stays bounded. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PassedDeletions } from '../src/engines/kv/passed-deletions.ts'
import { Simulation } from './simulation.ts'

const key = (index: number): Buffer => Buffer.from(`job ${String(index).padStart(6, '0')}`)

test('the first entry behind thousands that were deleted is found, forwards and backwards, alone and in a chunk', async () => {
  const simulation = await Simulation.start(1, {})
  const { db } = simulation
  await db.batch(Array.from({ length: 2000 }, (_, index) => ({ type: 'put', key: key(index), value: key(index) })))
  for (const reverse of [false, true]) {
    const at = reverse ? 1999 - 600 : 600
    const gone = Array.from({ length: 600 }, (_, index) => (reverse ? 1999 - index : index))
    await db.batch(gone.map((index) => ({ type: 'delete', key: key(index) })))
    for (const limit of [1, 3]) {
      const scan = db.scan({ reverse, limit })
      const expected = Array.from({ length: limit }, (_, step) => String(key(reverse ? at - step : at + step)))
      assert.deepEqual(
        scan.nextSync().map((entry) => String(entry.key)),
        expected,
      )
      scan.close()
    }
  }
  await simulation.stop()
})

test('where readers pass many deletions, the memtable is flushed before it is full', async () => {
  const simulation = await Simulation.start(1, {})
  const { db, device } = simulation
  const indexes = Array.from({ length: 2001 }, (_, index) => index)
  await db.batch(indexes.map((index) => ({ type: 'put', key: key(index), value: key(index) })))
  await db.batch(indexes.slice(0, 2000).map((index) => ({ type: 'delete', key: key(index) })))
  const firstOf = (): string => {
    const scan = db.scan({ limit: 1 })
    const [entry] = scan.nextSync()
    scan.close()
    return String(entry?.key)
  }
  for (let passed = 0; passed <= 128 * 1024; passed += 2000) assert.equal(firstOf(), String(key(2000)))
  for (let turn = 0; turn < 1000 && !device.files().some((path) => path.endsWith('.table')); turn++)
    await simulation.clock.turn()
  assert.ok(device.files().some((path) => path.endsWith('.table')))
  await simulation.stop()
})

test('deletions that were passed often enough begin one flush, and the next one when that is over', async () => {
  let [flushes, end] = [0, (): void => undefined]
  const level0: unknown[] = []
  const passed = new PassedDeletions({
    view: { version: { shape: { levels: [level0] } } },
    flush: () => {
      flushes++
      return new Promise((resolve) => (end = resolve))
    },
  })
  const many = 128 * 1024
  passed.add(many - 1)
  assert.equal(flushes, 0)
  passed.add(1)
  assert.equal(flushes, 1)
  passed.add(many)
  assert.equal(flushes, 1)
  end()
  await new Promise((resolve) => setImmediate(resolve))
  passed.add(1)
  assert.equal(flushes, 2)
  end()
  await new Promise((resolve) => setImmediate(resolve))
  level0.length = 16
  passed.add(many)
  assert.equal(flushes, 2, 'level 0 is full already')
})
