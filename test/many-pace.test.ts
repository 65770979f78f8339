/** What a read of many keys owes the event loop, and its caller. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { open } from '../src/local.ts'
import { SystemClock } from '../src/system-clock.ts'
import { failure } from '../src/testing/simulated-failure.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

// Ten thousand keys of cold blocks held every timer for 0.2 s.
test('getMany of many keys lets the event loop turn, and answers for the keys and the moment of the call', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-many-'))
  const db = await open(directory, { jobs: 'inline' })
  try {
    const names = Array.from({ length: 1000 }, (_, index) => `key ${index}`)
    const keys = names.map((name) => Buffer.from(name))
    for (const name of names) void db.put(Buffer.from(name), Buffer.from(name))
    await db.flush()
    const asked = Array.from({ length: 40_000 }, (_, index) => keys[index % keys.length] as Buffer)
    let settled = false
    const reading = db.getMany(asked).finally(() => (settled = true))
    await new Promise((resolve) => setImmediate(resolve))
    assert.ok(!settled, 'it was over before the event loop turned')
    for (const key of keys) key.fill(0)
    for (const name of names) void db.put(Buffer.from(name), Buffer.from('later'))
    await db.flush()
    await db.compactRange()
    const values = await reading
    assert.equal(values.length, asked.length)
    for (const [index, value] of values.entries()) assert.equal(String(value), names[index % names.length])
  } finally {
    await db.close()
    rmSync(directory, { recursive: true })
  }
})

test('getMany that is aborted, or whose shard is closed, between two turns says so', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-many-'))
  const db = await open(directory, { jobs: 'inline' })
  try {
    await db.put(Buffer.from('key'), Buffer.alloc(100))
    const asked = Array.from({ length: 40_000 }, () => Buffer.from('key'))
    const controller = new AbortController()
    const aborted = db.getMany(asked, { signal: controller.signal })
    controller.abort()
    await assert.rejects(aborted, { code: 'ABORTED' })
    const reading = db.getMany(asked)
    await db.close()
    assert.equal((await reading).length, asked.length, 'closing waits for it')
  } finally {
    await db.close()
    rmSync(directory, { recursive: true })
  }
})

test('where one of many keys cannot be read, getMany rejects, and nothing else does, though others were being read for some turns', async () => {
  const settings = { ...TINY_SETTINGS, memtableBytes: 1 << 20, cacheBytes: 0 }
  const simulation = await Simulation.start(1, settings, { syncRead: false }, new SystemClock())
  const { db } = simulation
  await db.put(Buffer.from('in a table'), Buffer.alloc(100))
  await db.flush()
  await db.put(Buffer.from('in memory'), Buffer.alloc(100))
  const asked = [Buffer.from('in a table'), ...Array.from({ length: 40_000 }, () => Buffer.from('in memory'))]
  simulation.beforeOperation = ({ operation, path }) => {
    if (operation === 'read' && !path.endsWith('.log')) throw failure('IO_FAILED', 'read', 'a table')
  }
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  try {
    await assert.rejects(db.getMany(asked), { code: 'IO_FAILED' })
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(unhandled, [])
  } finally {
    process.off('unhandledRejection', note)
    delete simulation.beforeOperation
    await simulation.stop()
  }
})
