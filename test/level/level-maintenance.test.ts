/** Clearing, compacting and measuring ranges. */

import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { VarveLevel } from '../../src/engines/level/varve-level.ts'
import { fill, freshLocation, opened } from './fresh-level.ts'

test('clear() deletes its range, in its order and up to its limit, over many batches', async (context) => {
  const db = await opened(context)
  const left = (): Promise<string[]> => db.keys().all()
  await fill(db, 2500)
  await db.clear({ gte: '0100', lt: '2400' })
  assert.equal((await left()).length, 200)
  await db.clear({ limit: 50 })
  assert.equal((await left())[0], '0050')
  await db.clear({ limit: 50, reverse: true })
  assert.equal((await left()).at(-1), '2449')
  const snapshot = db.snapshot()
  await db.put('9999', 'new')
  await db.clear({ snapshot })
  await snapshot.close()
  assert.deepEqual(await left(), ['9999'])
})

test('approximateSize() grows with what is stored, and compactRange() gives back what was deleted', async (context) => {
  const db = await opened(context, { compression: false })
  await fill(db, 2000)
  await db.compactRange('', '~')
  const full = await db.approximateSize('0000', '9999')
  assert.ok(full > 2000 * 5, `${full} bytes for 2000 entries`)
  const half = await db.approximateSize('0000', '1000')
  assert.ok(half > full / 4 && half < (full * 3) / 4, `${half} of ${full} bytes for half of the keys`)
  assert.equal(await db.approximateSize('5000', '6000'), 0)
  await db.clear()
  await db.compactRange('', '~')
  assert.ok((await db.approximateSize('0000', '9999')) < full / 10)
})

test('approximateSize() and compactRange() need both ends, encode them, wait for open() and fail after close()', async (context) => {
  const encoded: unknown[] = []
  const keyEncoding = {
    name: 'recorded',
    format: 'utf8' as const,
    encode: (key: string) => {
      encoded.push(key)
      return key
    },
    decode: (key: string) => key,
  }
  const db = new VarveLevel(freshLocation(context))
  for (const name of ['approximateSize', 'compactRange'] as const) {
    const call = db[name].bind(db) as (...args: unknown[]) => Promise<unknown>
    await assert.rejects(call(), { name: 'TypeError', message: "The arguments 'start' and 'end' are required" })
    await assert.rejects(call('a'), { name: 'TypeError' })
    await db.close()
    const order: string[] = []
    const opening = db.open().then(() => order.push('open'))
    const deferred = call('a', 'b', { keyEncoding }).then(() => order.push(name))
    await Promise.all([opening, deferred])
    assert.deepEqual(order, ['open', name])
    assert.deepEqual(encoded.splice(0), ['a', 'b'])
    await db.close()
    await assert.rejects(call('a', 'b'), { code: 'LEVEL_DATABASE_NOT_OPEN' })
  }
})

test('destroy() removes a database that is closed, refuses one that is open, and is nothing to a place without one', async (context) => {
  const location = freshLocation(context)
  await VarveLevel.destroy(location)
  const db = new VarveLevel(location)
  await db.put('a', '1')
  await assert.rejects(VarveLevel.destroy(location), { code: 'LEVEL_LOCKED' })
  await db.close()
  await VarveLevel.destroy(location)
  assert.ok(!existsSync(location))
  await assert.rejects(VarveLevel.destroy(''), TypeError)
})
