/** A full disk: writes fail with a typed error and leave nothing, reads go on, writes resume by themselves. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KIB } from '../src/kernel/limits.ts'
import { isCode } from '../src/kernel/errors.ts'
import { failure } from '../src/testing/simulated-failure.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

function keyOf(index: number): Uint8Array {
  return Buffer.from(`key-${String(index).padStart(5, '0')}`)
}

/** Big enough never to be flushed or compacted: only the journal meets the full disk. */
const ONE_MEMTABLE = { ...TINY_SETTINGS, memtableBytes: 4096 * KIB }

for (const [what, settings] of [
  ['the journal alone', ONE_MEMTABLE],
  ['journal, flushes and compactions', TINY_SETTINGS],
] as const) {
  test(`while the disk is full for ${what}, writes fail cleanly and reads go on; then writes resume`, async () => {
    const simulation = await Simulation.start(7, settings)
    let full = false
    simulation.beforeOperation = ({ operation, path }) => {
      if (full && operation === 'write') throw failure('NO_SPACE', operation, path)
    }
    const written = new Map<number, string>()
    const put = async (index: number, value: string): Promise<void> => {
      await simulation.db.put(keyOf(index), Buffer.from(value), { durability: index % 3 === 0 ? 'synced' : 'written' })
      written.set(index, value)
    }
    const checkAll = async (): Promise<void> => {
      let count = 0
      for await (const { key, value } of simulation.db.scan()) {
        const index = Number(Buffer.from(key).toString().slice(4))
        assert.equal(Buffer.from(value).toString(), written.get(index), `key ${index}`)
        count++
      }
      assert.equal(count, written.size)
      for (const index of written.keys()) assert.ok(await simulation.db.has(keyOf(index)))
    }
    for (let round = 0; round < 6; round++) {
      for (let index = 0; index < 60; index++) await put(round * 100 + index, `value ${round} ${index}`.repeat(4))
      full = true
      const refused = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) => simulation.db.put(keyOf(90_000 + index), Buffer.from('refused'))),
      )
      for (const result of refused) {
        assert.ok(result.status === 'rejected' && isCode(result.reason, 'NO_SPACE'), String(Object.values(result)[1]))
      }
      await checkAll()
      full = false
      // What failed meanwhile in the background is tried again after a pause.
      simulation.clock.advance(120_000)
      await checkAll()
    }
    await put(7777, 'resumed')
    await simulation.db.flush()
    await checkAll()
    await simulation.kill()
    await checkAll()
    await simulation.powerCut()
    assert.ok(await simulation.db.has(keyOf(0)))
    await simulation.stop()
  })
}

test('a batch that did not fit leaves no part of itself, also after reopening', async () => {
  const simulation = await Simulation.start(8, ONE_MEMTABLE)
  await simulation.db.put(keyOf(1), Buffer.from('before'))
  let writes = 0
  simulation.beforeOperation = ({ operation, path }) => {
    if (operation === 'write' && path.endsWith('.log') && ++writes === 1) throw failure('NO_SPACE', operation, path)
  }
  const refused = simulation.db.batch(
    [2, 3, 4].map((index) => ({ type: 'put', key: keyOf(index), value: Buffer.from('batch') })),
    { durability: 'synced' },
  )
  await assert.rejects(refused, (error) => isCode(error, 'NO_SPACE'))
  await simulation.db.put(keyOf(5), Buffer.from('after'), { durability: 'synced' })
  const keys = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const { key } of simulation.db.scan()) found.push(Buffer.from(key).toString())
    return found
  }
  assert.deepEqual(await keys(), ['key-00001', 'key-00005'])
  await simulation.powerCut()
  assert.deepEqual(await keys(), ['key-00001', 'key-00005'])
  await simulation.stop()
})

test('files whose commit does not fit are removed, however often it is tried', async () => {
  const simulation = await Simulation.start(9, TINY_SETTINGS)
  for (let index = 0; index < 100; index++) await simulation.db.put(keyOf(index), Buffer.alloc(40, 'a'))
  await simulation.db.flush()
  await simulation.db.settle()
  let refused = 0
  simulation.beforeOperation = ({ operation, path }) => {
    if (operation !== 'write' || !path.startsWith('heads/')) return
    refused++
    throw failure('NO_SPACE', operation, path)
  }
  const tables = (): number => simulation.device.files().filter((path) => path.endsWith('.table')).length
  const before = tables()
  for (let index = 0; index < 20; index++) await simulation.db.put(keyOf(index), Buffer.alloc(40, 'b'))
  await assert.rejects(simulation.db.flush(), (error) => isCode(error, 'NO_SPACE'))
  for (let turns = 0; refused < 5 && turns < 10_000; turns++) {
    simulation.clock.advance(60_000)
    await new Promise(setImmediate)
  }
  assert.ok(refused >= 5, `only ${refused} commits were tried`)
  // Those of one attempt may still be on their way to the commit, or from it.
  const most = before + 3
  assert.ok(tables() <= most, `${tables()} tables after ${refused} refused commits, ${before} before`)

  simulation.beforeOperation = () => undefined
  simulation.clock.advance(120_000)
  for (let turns = 0; turns < 1000 && simulation.db.statistics().frozenTables > 0; turns++) {
    await new Promise(setImmediate)
  }
  await simulation.db.flush()
  assert.deepEqual(await simulation.db.get(keyOf(1)), Buffer.alloc(40, 'b'))
  await simulation.kill()
  assert.deepEqual(await simulation.db.get(keyOf(1)), Buffer.alloc(40, 'b'))
  await simulation.stop()
})
