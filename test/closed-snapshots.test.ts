/** What a snapshot or a scan keeps, and that it is let go with them. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const KEY = Buffer.from('key')

async function write(db: KvShard, value: string): Promise<void> {
  await db.put(KEY, Buffer.from(value))
  await db.flush()
}

/** Versions in tables, once everything that nobody sees has been dropped: the newest, and what is held. */
async function versionsOf(db: KvShard): Promise<number> {
  // What is in the deepest level is rewritten only with something above it.
  await write(db, 'newest')
  await db.compactRange()
  return db.statistics().levels.reduce((sum, { entries }) => sum + entries, 0)
}

test('what only a snapshot saw is dropped once it is closed, and not before the last that sees it is', async () => {
  const simulation = await Simulation.start(1, TINY_SETTINGS)
  const { db } = simulation
  await write(db, 'first')
  const [first, same] = [db.snapshot(), db.snapshot()]
  await write(db, 'second')
  const second = db.snapshot()
  assert.equal(await versionsOf(db), 3)
  first.close()
  first.close()
  assert.equal(await versionsOf(db), 3, 'the other snapshot of the same moment')
  assert.equal(String(await db.get(KEY, { snapshot: same })), 'first')
  same.close()
  assert.equal(await versionsOf(db), 2)
  assert.equal(String(await db.get(KEY, { snapshot: second })), 'second')
  second.close()
  assert.equal(await versionsOf(db), 1)
  await simulation.stop()
})

test('what only a scan saw is dropped once it is closed, or was read to its end', async () => {
  const simulation = await Simulation.start(2, TINY_SETTINGS)
  const { db } = simulation
  await write(db, 'first')
  const [closed, read] = [db.scan(), db.scan()]
  assert.equal(await versionsOf(db), 2)
  closed.close()
  assert.equal(await versionsOf(db), 2)
  const found: string[] = []
  for await (const { value } of read) found.push(String(value))
  assert.deepEqual(found, ['first'])
  assert.equal(await versionsOf(db), 1)
  await simulation.stop()
})
