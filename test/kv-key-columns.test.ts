/** A second format from the same jobs: key columns beside the tables of the key-value engine. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toHex } from '../src/kernel/bytes.ts'
import { isCode } from '../src/kernel/errors.ts'
import { shardId } from '../src/kernel/ids.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { KV_POLICIES } from '../src/engines/kv/settings.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const SETTINGS = { ...TINY_SETTINGS, keyColumns: true } as const

async function fill(db: KvShard, from: number, count: number, length = 40): Promise<void> {
  for (let number = from; number < from + count; number++) {
    await db.put(Buffer.from(`key ${number % 300}`), new Uint8Array(length + (number % 7)).fill(number))
  }
}

/** Key → length of its value, by the newest entry of the key columns. */
async function lengthsOf(db: KvShard): Promise<Map<string, number>> {
  const newest = new Map<string, { seqno: number; length: number | undefined }>()
  for await (const { table, column } of db.keyColumns()) {
    let entries = 0
    for await (const { count, keys, keyStarts, valueLengths, seqnos, kinds } of column.blocks()) {
      entries += count
      for (let at = 0; at < count; at++) {
        const key = toHex(keys.subarray(keyStarts[at], keyStarts[at + 1]))
        const seqno = seqnos[at] as number
        if (seqno <= (newest.get(key)?.seqno ?? 0)) continue
        newest.set(key, { seqno, length: kinds[at] === 1 ? valueLengths[at] : undefined })
      }
    }
    assert.equal(entries, table.meta.entryCount)
  }
  return new Map([...newest].flatMap(([key, { length }]) => (length === undefined ? [] : [[key, length]])))
}

async function scanLengths(db: KvShard): Promise<Map<string, number>> {
  const lengths = new Map<string, number>()
  for await (const { key, value } of db.scan()) lengths.set(toHex(key), value.length)
  return lengths
}

const tableCount = (db: KvShard): number => db.levels().flat().length

async function columnCount(db: KvShard): Promise<number> {
  let count = 0
  for await (const { column } of db.keyColumns()) count += column.ref.bytes > 0 ? 1 : 0
  return count
}

for (const policy of KV_POLICIES) {
  test(`${policy}: every table has its key column, through flushes, moves, compactions and reopening`, async () => {
    const simulation = await Simulation.start(1, { ...SETTINGS, policy })
    const { db } = simulation
    for (let round = 0; round < 4; round++) {
      await fill(db, round * 150, 200)
      await db.delete(Buffer.from(`key ${round}`))
      await db.flush()
      await db.settle()
      assert.deepEqual(await lengthsOf(db), await scanLengths(db))
      assert.equal(await columnCount(db), tableCount(db))
      assert.equal(db.statistics().files, 2 * tableCount(db), 'and none is left of tables that are gone')
    }
    await db.compactRange()
    assert.equal(await columnCount(db), tableCount(db))
    await simulation.reopen()
    assert.deepEqual(await lengthsOf(simulation.db), await scanLengths(simulation.db))
    for await (const { damage } of simulation.db.verify()) assert.equal(damage, undefined)
    await simulation.stop()
  })
}

test('key columns come and go with the setting, and move with their tables into clones', async () => {
  const simulation = await Simulation.start(2, TINY_SETTINGS)
  await fill(simulation.db, 0, 100)
  await simulation.db.flush()
  assert.equal(await columnCount(simulation.db), 0)
  simulation.settings = SETTINGS
  await simulation.reopen()
  await fill(simulation.db, 0, 100)
  await simulation.db.flush()
  await simulation.db.compactRange()
  assert.equal(await columnCount(simulation.db), tableCount(simulation.db))
  await simulation.db.clone(shardId('copy'))
  const clone = await simulation.sibling('copy')
  assert.deepEqual(await lengthsOf(clone.db), await scanLengths(clone.db))
  await clone.db.close()
  simulation.settings = TINY_SETTINGS
  await simulation.reopen()
  await fill(simulation.db, 0, 100)
  await simulation.db.flush()
  await simulation.db.compactRange()
  assert.equal(await columnCount(simulation.db), 0)
  assert.equal(simulation.db.statistics().files, tableCount(simulation.db))
  await simulation.stop()
})

test('after a split, each half has the key columns of tables it sees as a whole, and none of others', async () => {
  // One table, which both halves see a part of.
  const simulation = await Simulation.start(5, { ...SETTINGS, tableBytes: 1_048_576, memtableBytes: 1_048_576 })
  await fill(simulation.db, 0, 300)
  await simulation.db.flush()
  assert.deepEqual([tableCount(simulation.db), await columnCount(simulation.db)], [1, 1])
  await simulation.db.split(Buffer.from('key 2'), 'left', 'right')
  for (const name of ['left', 'right']) {
    const half = await simulation.sibling(name)
    assert.deepEqual([tableCount(half.db), await columnCount(half.db)], [1, 0])
    await half.db.compactRange()
    assert.deepEqual(await lengthsOf(half.db), await scanLengths(half.db))
    assert.equal(await columnCount(half.db), tableCount(half.db))
    await half.stop()
  }
})

test('a damaged key column is told by its name, and no key is lost by it', async () => {
  const simulation = await Simulation.start(3, SETTINGS)
  const { db, device } = simulation
  await fill(db, 0, 100)
  await db.flush()
  await db.settle()
  const expected = await scanLengths(db)
  const [path] = device.files().filter((each) => each.endsWith('.keys'))
  assert.ok(path !== undefined)
  device.inode(path).flipBit(20, 3)
  const found: string[] = []
  for await (const { file, damage } of db.verify()) if (damage !== undefined) found.push(`files/${file.ref.name}`)
  assert.deepEqual(found, [path])
  await assert.rejects(lengthsOf(db), (error) => isCode(error, 'TABLE_CORRUPT'))
  assert.deepEqual(await scanLengths(db), expected)
  await simulation.stop()
})

test('keyColumns must be a boolean', async () => {
  const settings = { ...TINY_SETTINGS, keyColumns: 1 as never }
  await assert.rejects(Simulation.start(4, settings), /TypeError: keyColumns must be a boolean/)
})
