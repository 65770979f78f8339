/** A program that opens, writes a little and ends, again and again: what it leaves behind stays bounded. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeviceOperation } from '../src/testing/device-operation.ts'
import { failure } from '../src/testing/simulated-failure.ts'
import { Simulation } from './simulation.ts'

// src/shard/opening-flush.ts: where an opening flushes behind itself, and where it waits for that.
const OPENINGS_MAX = 16
const OPENINGS_BEHIND_MAX = 32

interface Life {
  readonly simulation: Simulation
  /** Segments of the journal. */
  segments(): number
  tables(): number
}

async function born(before?: (operation: DeviceOperation) => void): Promise<Life> {
  // Default sizes: no memtable ever fills.
  const simulation = await Simulation.start(7, {}, before === undefined ? {} : { before })
  const count = (folder: string, ending: string) => () =>
    simulation.device.files().filter((path) => path.startsWith(folder) && path.endsWith(ending)).length
  return { simulation, segments: count('journal', '.log'), tables: count('files', '.table') }
}

async function checkContent({ db }: Simulation, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    assert.equal(String(await db.get(Buffer.from(`key ${index}`))), `value ${index}`)
}

const put = ({ db }: Simulation, index: number): Promise<void> =>
  db.put(Buffer.from(`key ${index}`), Buffer.from(`value ${index}`), { durability: 'synced' })

test('opened, written to and closed 100 times, a shard has few segments, few files and everything', async () => {
  const life = await born()
  const { simulation } = life
  let [segments, tables] = [0, 0]
  for (let index = 0; index < 100; index++) {
    await put(simulation, index)
    await simulation.reopen()
    segments = Math.max(segments, life.segments())
    tables = Math.max(tables, life.tables())
  }
  assert.ok(segments <= OPENINGS_MAX + 1, `${segments} segments`)
  assert.ok(tables > 0 && tables < 20, `${tables} files`)
  await checkContent(simulation, 100)
  await simulation.stop()
})

test('opened, written to and killed at once 100 times, a shard has few segments and everything', async () => {
  const life = await born()
  const { simulation } = life
  let segments = 0
  for (let index = 0; index < 100; index++) {
    await put(simulation, index)
    await simulation.kill()
    segments = Math.max(segments, life.segments())
  }
  assert.ok(segments <= OPENINGS_BEHIND_MAX + 1, `${segments} segments`)
  await checkContent(simulation, 100)
  await simulation.stop()
})

test('where files cannot be written, openings go on, and the next one that can flushes', async () => {
  let full = true
  const life = await born(({ operation, path }) => {
    if (full && operation === 'open' && path.startsWith('files/')) throw failure('IO_FAILED', operation, path)
  })
  const { simulation } = life
  for (let index = 0; index < 34; index++) {
    await put(simulation, index)
    await simulation.reopen()
  }
  assert.equal(life.tables(), 0)
  full = false
  await simulation.reopen()
  assert.equal(life.tables(), 1)
  assert.equal(life.segments(), 0)
  await checkContent(simulation, 34)
  await simulation.stop()
})
