/** What `flush` owes those who do not wait for it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../src/kernel/errors.ts'
import { KIB } from '../src/kernel/limits.ts'
import { failure } from '../src/testing/simulated-failure.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)

// The memtable was frozen in the middle of the group that the put had begun, and replay started inside it.
test('a put in the same turn as a flush is found again, once, after reopening', async () => {
  const simulation = await Simulation.start(1, TINY_SETTINGS)
  await simulation.db.put(bytes('a'), bytes('1'))
  const flushed = simulation.db.flush()
  await Promise.all([flushed, simulation.db.put(bytes('b'), bytes('2'))])
  await simulation.reopen()
  assert.equal(String(await simulation.db.get(bytes('b'))), '2')
  await simulation.stop()
})

// Writes that were held back waited in a queue that a flush did not look at.
test('a flush covers writes that are held back when it is called', async () => {
  const simulation = await Simulation.start(3, { ...TINY_SETTINGS, frozenMax: 1 })
  const { db } = simulation
  const writes: Promise<void>[] = []
  for (let index = 0; index < 100; index++) {
    writes.push(db.put(bytes(`key ${index}`), bytes('x'.repeat(200))))
    if (index % 8 === 7) await Promise.resolve()
  }
  assert.ok(db.statistics().queuedBytes > 0, 'writes are held back')
  await db.flush()
  const entries = db.statistics().levels.reduce((sum, level) => sum + level.entries, 0)
  assert.equal(entries, 100)
  await Promise.all(writes)
  await simulation.stop()
})

test('what flush waits for is told where it fails, though writes are held back', async () => {
  const simulation = await Simulation.start(4, { ...TINY_SETTINGS, frozenMax: 1 })
  const { db } = simulation
  simulation.beforeOperation = ({ operation, path }) => {
    if (operation === 'open' && path.endsWith('.UNFINISHED')) throw failure('IO_FAILED', operation, path)
  }
  const writes: Promise<void>[] = []
  for (let index = 0; index < 60; index++) {
    writes.push(db.put(bytes(`key ${index}`), bytes('x'.repeat(200))))
    if (index % 8 === 7) await Promise.resolve()
  }
  assert.ok(db.statistics().queuedBytes > 0, 'writes are held back')
  await assert.rejects(db.flush(), (error) => isCode(error, 'JOB_FAILED'))
  simulation.beforeOperation = () => undefined
  while (db.statistics().queuedBytes > 0) {
    simulation.clock.advance(1000)
    await simulation.clock.turn()
  }
  await Promise.all(writes)
  await db.flush()
  await simulation.stop()
})

test('a flush of writes that another owner has fenced rejects with FENCED, and does not wait for ever', async () => {
  const simulation = await Simulation.start(1, TINY_SETTINGS)
  const first = simulation.db
  await simulation.open()
  const fenced = (error: unknown): boolean => isCode(error, 'FENCED')
  await assert.rejects(first.put(bytes('a'), bytes('1')), fenced)
  await assert.rejects(first.flush(), fenced)
  await simulation.stop()
})

// Found by seeds of a cluster: several memtables were frozen, all of their writes in flight.
test('a flush of writes whose outcome becomes unknown says so, and does not wait for ever', async () => {
  const simulation = await Simulation.start(3, { memtableBytes: 2 * KIB, frozenMax: 1 })
  const { db } = simulation
  await db.put(bytes('before'), bytes('1'))
  simulation.beforeOperation = ({ operation, path }) => {
    if (operation === 'write' && path.startsWith('journal/')) throw failure('IO_FAILED', operation, path)
  }
  const calls: Promise<unknown>[] = []
  for (let index = 0; index < 12; index++) {
    calls.push(db.put(bytes(`key ${index}`), bytes('x'.repeat(900))))
    if (index % 3 === 2) calls.push(db.flush())
  }
  for (const settled of await Promise.allSettled(calls)) assert.equal(settled.status, 'rejected')
  await assert.rejects(db.flush(), (error: unknown) => isCode(error, 'POISONED'))
  await simulation.stop()
})

test('writes that were held back are let go a little in every turn, so that the thread is not held', async () => {
  const simulation = await Simulation.start(5, { memtableBytes: 1024 * KIB, frozenMax: 1 })
  const { db } = simulation
  simulation.beforeOperation = ({ operation, path }) => {
    if (operation === 'write' && path.startsWith('files/')) throw failure('IO_FAILED', operation, path)
  }
  const writes: Promise<void>[] = []
  while (db.statistics().queuedBytes < 768 * KIB) {
    for (let index = 0; index < 100; index++) {
      writes.push(db.put(bytes(`key ${writes.length}`), bytes('x'.repeat(1000))))
    }
    await new Promise(setImmediate)
  }
  simulation.beforeOperation = () => undefined
  simulation.clock.advance(120_000)
  let [before, most] = [db.statistics().queuedBytes, 0]
  while (before > 0) {
    await new Promise(setImmediate)
    const after = db.statistics().queuedBytes
    most = Math.max(most, before - after)
    before = after
  }
  await Promise.all(writes)
  assert.ok(most > 0 && most <= 300 * KIB, `${most} bytes in one turn`)
  await simulation.stop()
})
