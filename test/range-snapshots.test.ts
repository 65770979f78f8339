/** Files that a range deletion covers whole are forgotten at once, but not while somebody reads as of before it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const KEYS = Array.from({ length: 30 }, (_, index) => Buffer.from(`key ${index}`.padEnd(40, '.')))
const VALUE = Buffer.from('value'.padEnd(60, '.'))

test('what a range deletion covers stays for the oldest of several snapshots, and goes with it', async () => {
  const simulation = await Simulation.start(1, {
    ...TINY_SETTINGS,
    memtableBytes: 64 * 1024,
    level0Files: 10,
    level0FilesStop: 20,
  })
  const { db } = simulation
  for (const key of KEYS) await db.put(key, VALUE)
  await db.flush()
  const before = db.snapshot()
  await db.deleteRange({})
  await db.put(Buffer.from('unrelated'), VALUE)
  // Who reads as of this does not need what was deleted.
  const after = db.snapshot()
  await db.flush()
  await db.settle()
  for (const key of KEYS) {
    assert.deepEqual(await db.get(key, { snapshot: before }), VALUE, key.toString())
    assert.equal(await db.get(key, { snapshot: after }), undefined, key.toString())
  }
  assert.equal(db.statistics().files, 2)
  before.close()
  after.close()
  await db.put(Buffer.from('unrelated'), VALUE)
  await db.flush()
  await db.settle()
  assert.equal(db.statistics().files, 2, 'of three, the first has gone')
  assert.deepEqual(await db.get(Buffer.from('unrelated')), VALUE)
  await simulation.stop()
})
