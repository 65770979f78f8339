/** What `flush` owes those who do not wait for it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../src/kernel/errors.ts'
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

test('a flush of writes that another owner has fenced rejects with FENCED, and does not wait for ever', async () => {
  const simulation = await Simulation.start(1, TINY_SETTINGS)
  const first = simulation.db
  await simulation.open()
  const fenced = (error: unknown): boolean => isCode(error, 'FENCED')
  await assert.rejects(first.put(bytes('a'), bytes('1')), fenced)
  await assert.rejects(first.flush(), fenced)
  await simulation.stop()
})
