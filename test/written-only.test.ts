import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryJournalStorage, MemoryJournalSystem } from '../src/journal/memory-journal.ts'
import { isCode } from '../src/kernel/errors.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const text = (value: string): Uint8Array => Buffer.from(value)

test('over a journal that offers written only, a synced write is refused and harms nothing', async () => {
  const storage = new MemoryJournalStorage()
  const simulation = new Simulation(1, TINY_SETTINGS)
  simulation.composer = {
    compose: (parts) => ({ ...parts, journal: new MemoryJournalSystem({ storage, durability: ['written'] }) }),
  }
  await simulation.open()
  const { db } = simulation
  const together = db.put(text('same turn'), text('1'))
  const unsupported = (error: unknown): boolean => isCode(error, 'UNSUPPORTED')
  await assert.rejects(db.put(text('refused'), text('1'), { durability: 'synced' }), unsupported)
  await assert.rejects(db.batch([{ type: 'delete', key: text('same turn') }], { durability: 'synced' }), unsupported)
  await assert.rejects(db.batch([], { durability: 'synced' }), unsupported)
  await assert.rejects(db.sync(), unsupported)
  await together
  for (let index = 0; index < 200; index++) await db.put(text(`key ${index}`), text('x'.repeat(50)))
  await db.flush()
  assert.ok(db.statistics().files > 0, 'memtables become files without a sync of the journal')
  await simulation.reopen()
  assert.equal(await simulation.db.get(text('refused')), undefined)
  assert.deepEqual(await simulation.db.get(text('same turn')), text('1'))
  assert.deepEqual(await simulation.db.get(text('key 199')), text('x'.repeat(50)))
  await simulation.stop()
})
