/** Keys that are read again and again: copies of their entries answer, and never what is no longer true. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const KEY = Buffer.from('popular')
const OTHER = Buffer.from('other')

async function openWithCopies(): Promise<KvShard> {
  const simulation = await Simulation.start(1, { ...TINY_SETTINGS, memtableBytes: 1 << 20, cacheBytes: 4 << 20 })
  const { db } = simulation
  for (const key of [KEY, OTHER]) await db.put(key, Buffer.from('first'))
  await db.flush()
  return db
}

async function readOften(db: KvShard, expected: string | undefined): Promise<void> {
  for (let read = 0; read < 4; read++) {
    assert.equal(text(await db.get(KEY)), expected)
    assert.equal(text((await db.getMany([OTHER, KEY]))[1]), expected)
    assert.equal(text(db.getSync(KEY)), expected)
    assert.equal(db.hasSync(KEY), expected !== undefined)
    assert.equal(await db.has(KEY), expected !== undefined)
  }
}

function text(value: Uint8Array | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString()
}

test('a copy answers until the entry is overwritten or deleted, in memory and in tables', async () => {
  await using db = await openWithCopies()
  await readOften(db, 'first')
  assert.ok(db.statistics().entryCache.hits > 10)
  assert.ok(db.statistics().entryCache.bytes > 0)
  const changes: readonly [(db: KvShard) => Promise<void>, string | undefined][] = [
    [(shard) => shard.put(KEY, Buffer.from('second')), 'second'],
    [(shard) => shard.delete(KEY), undefined],
    [(shard) => shard.put(KEY, Buffer.from('third')), 'third'],
    [(shard) => shard.deleteRange({ gte: KEY }), undefined],
    [(shard) => shard.batch([{ type: 'put', key: KEY, value: Buffer.alloc(0) }]), ''],
  ]
  for (const [change, expected] of changes) {
    await change(db)
    await readOften(db, expected)
    await db.flush()
    await readOften(db, expected)
    await db.compactRange()
    await readOften(db, expected)
  }
})

test('a snapshot reads what was there, however often others read what is', async () => {
  await using db = await openWithCopies()
  using before = db.snapshot()
  await db.put(KEY, Buffer.from('second'))
  await db.flush()
  for (let round = 0; round < 4; round++) {
    assert.equal(text(await db.get(KEY, { snapshot: before })), 'first')
    await readOften(db, 'second')
  }
})

test('a value from a copy is the caller’s', async () => {
  await using db = await openWithCopies()
  for (let read = 0; read < 5; read++) {
    const value = await db.get(KEY)
    assert.equal(text(value), 'first')
    value?.fill(0)
  }
})
