/** Whoever writes may use its buffers again. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { open } from '../src/local.ts'

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
