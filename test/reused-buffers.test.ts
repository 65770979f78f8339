/** Whoever writes may use its buffers again. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { open } from '../src/local.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const KEYS = 3_000

/** Ascending, so that keys begin alike for long: 256 of them differ in their last byte only. */
function setKey(key: Buffer, index: number): Buffer {
  key.writeUInt32BE(index, 4)
  return key
}

function numberAt(bytes: Uint8Array | undefined, offset: number): number | undefined {
  return bytes && new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(offset)
}

async function checkAll(db: KvShard): Promise<void> {
  const key = Buffer.alloc(8)
  for (let index = 0; index < KEYS; index++)
    assert.equal(numberAt(await db.get(setKey(key, index)), 0), index, `the value of key ${index}`)
  let count = 0
  for await (const { key: found } of db.scan()) assert.equal(numberAt(found, 4), count++, 'keys come in order')
  assert.equal(count, KEYS, 'a scan finds every key')
}

// A memtable took the bytes that all keys have in common from the first of them with `slice`, which is a view where that
// key is a Buffer: 196,416 of a million ascending keys were gone.
test('a key and a value in one pair of buffers, filled anew for every write, are stored as they were', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-reused-'))
  try {
    const [key, value] = [Buffer.alloc(8), Buffer.alloc(4)]
    let db = await open(directory, { jobs: 'inline' })
    for (let index = 0; index < KEYS; index++) {
      value.writeUInt32BE(index)
      setKey(key, index)
      if (index % 3 === 0) await db.put(key, value)
      else await db.batch([{ type: 'put', key, value }])
    }
    await checkAll(db)
    await db.close()
    db = await open(directory, { jobs: 'inline' })
    await checkAll(db)
    await db.flush()
    await checkAll(db)
    await db.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('bounds in buffers may be used again once they are handed over', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-reused-'))
  const db = await open(directory, { jobs: 'inline' })
  try {
    for (const key of ['a1', 'a2', 'b1', 'b2', 'c1']) await db.put(Buffer.from(key), Buffer.from(key))
    const range = { gte: Buffer.from('b'), lt: Buffer.from('c') }
    const scan = db.scan(range)
    range.gte.fill(0)
    range.lt.fill(0)
    assert.deepEqual(
      (await scan.next(10)).map(({ key }) => Buffer.from(key).toString()),
      ['b1', 'b2'],
    )
    scan.close()
    const [scanned, target] = [db.scan(), Buffer.from('b2')]
    scanned.seek(target)
    target.fill(0)
    assert.equal(Buffer.from((await scanned.next(1))[0]?.key ?? []).toString(), 'b2')
    scanned.close()
    const bounds = { gte: Buffer.from('a2'), lt: Buffer.from('b2') }
    await db.deleteRange(bounds)
    bounds.gte.fill(0)
    bounds.lt.fill(0xff)
    const left = []
    for await (const { key: found } of db.scan()) left.push(Buffer.from(found).toString())
    assert.deepEqual(left, ['a1', 'b2', 'c1'])
  } finally {
    await db.close()
    rmSync(directory, { recursive: true })
  }
})

// Such a key or value was found out half-way, in the midst of what was written with it: the database could not be opened
// again, or what had been written behind it in the same turn was gone, though it was synced.
test('a buffer that was transferred is refused, and what is written beside it is there', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-transferred-'))
  try {
    let db = await open(directory, { jobs: 'inline' })
    const lost = Buffer.from(new ArrayBuffer(8))
    structuredClone(lost.buffer, { transfer: [lost.buffer] })
    const [a, b, c] = ['a', 'b', 'c'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer]
    const first = db.put(a, a)
    const refused = [
      db.put(lost, a),
      db.put(c, lost),
      db.delete(lost),
      db.batch([
        { type: 'put', key: c, value: c },
        { type: 'put', key: c, value: lost },
      ]),
      db.deleteRange({ gte: lost, lt: c }),
      db.get(lost),
      db.getMany([a, lost]),
    ]
    const last = db.put(b, b, { durability: 'synced' })
    for (const call of refused) await assert.rejects(call, TypeError)
    await Promise.all([first, last])
    await db.close()
    db = await open(directory, { jobs: 'inline' })
    const found = []
    for await (const { key } of db.scan()) found.push(Buffer.from(key).toString())
    assert.deepEqual(found, ['a', 'b'])
    await db.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a key in a buffer may be used again while its value is on its way', async () => {
  const simulation = await Simulation.start(1, { ...TINY_SETTINGS, cacheBytes: 0 }, { atHand: () => false })
  const { db } = simulation
  const keys = Array.from({ length: 50 }, (_, index) => Buffer.from(`key ${String(index).padStart(2, '0')}`))
  for (const key of keys) await db.put(key, key)
  await db.flush()
  const asked = keys.map((key) => Buffer.from(key))
  const found = asked.map((key) => db.get(key))
  for (const key of asked) key.fill(0)
  for (const [index, value] of (await Promise.all(found)).entries())
    assert.deepEqual(value === undefined ? undefined : Buffer.from(value), keys[index])
  await simulation.stop()
})

test('a snapshot of one shard is refused by another, and one that was closed by its own', async () => {
  const [one, other] = [await Simulation.start(1, TINY_SETTINGS), await Simulation.start(2, TINY_SETTINGS)]
  const [key, snapshot] = [Buffer.from('a'), one.db.snapshot()]
  await assert.rejects(async () => other.db.get(key, { snapshot }), TypeError)
  assert.equal(await one.db.get(key, { snapshot }), undefined)
  snapshot.close()
  await assert.rejects(async () => one.db.get(key, { snapshot }), { code: 'CLOSED' })
  await one.stop()
  await other.stop()
})
