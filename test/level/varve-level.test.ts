/** What abstract-level's suite (test/abstract-level.test.ts) does not ask of a database: options, errors, bytes. */

import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { OpenShard } from '../../src/engines/level/level.ts'
import { VarveLevel } from '../../src/engines/level/varve-level.ts'
import { open } from '../../src/local.ts'
import { Simulation } from '../simulation.ts'
import { fill, freshLocation, opened } from './fresh-level.ts'

test('the manifest is that of classic-level, so that what asks it finds the same', async (context) => {
  const db = await opened(context)
  const { encodings, events, ...rest } = db.supports
  assert.deepEqual(rest, {
    has: true,
    getSync: true,
    createIfMissing: true,
    errorIfExists: true,
    explicitSnapshots: true,
    implicitSnapshots: true,
    snapshots: true,
    permanence: true,
    seek: true,
    deferredOpen: true,
    streams: false,
    additionalMethods: { approximateSize: true, compactRange: true },
    signals: { iterators: true },
  })
  for (const name of ['buffer', 'view', 'utf8', 'json', 'hex', 'base64']) assert.equal(encodings?.[name], true, name)
  assert.equal(events?.['write'], true)
})

test('getSync is in the manifest where the composition can keep it, as soon as that is known', async (context) => {
  const supportsGetSync = ({ supports }: VarveLevel): unknown => (supports as { getSync?: boolean }).getSync
  for (const syncRead of [true, false]) {
    const simulation = new Simulation(1, {}, { syncRead, syncWrite: syncRead })
    const openShard: OpenShard = async () => {
      await simulation.open()
      return simulation.db
    }
    const db = new VarveLevel(freshLocation(context), { openShard })
    assert.equal(supportsGetSync(db), false, 'nobody knows yet')
    await db.open()
    assert.equal(supportsGetSync(db), syncRead)
    assert.equal(supportsGetSync(db.sublevel('part') as never), syncRead)
    await db.put('key', 'value')
    await simulation.db.flush()
    if (syncRead) assert.equal(db.getSync('key'), 'value')
    else assert.throws(() => db.getSync('key'), { code: 'WOULD_BLOCK' })
    assert.equal(await db.get('key'), 'value')
    await db.close()
  }
})

test('a location that is no path is refused at once', () => {
  for (const location of ['', undefined, null, {}, 1]) {
    assert.throws(() => new VarveLevel(location as string), {
      name: 'TypeError',
      message: "The first argument 'location' must be a non-empty string",
    })
  }
})

test('an option of the wrong type is refused by the constructor, and by open() as the cause', async (context) => {
  assert.throws(() => new VarveLevel('unused', { cacheSize: '8' as never }), /^TypeError: cacheSize must/)
  const db = new VarveLevel(freshLocation(context))
  await assert.rejects(db.open({ blockSize: '4' as never }), (error: Error & { code: string }) => {
    assert.equal(error.code, 'LEVEL_DATABASE_NOT_OPEN')
    assert.match(String(error.cause), /^TypeError: blockSize must/)
    return true
  })
})

test('an option out of range fails the opening and names the setting', async (context) => {
  const db = new VarveLevel(freshLocation(context), { writeBufferSize: 1 })
  await assert.rejects(db.open(), (error: Error) => String(error.cause).startsWith('RangeError: memtableBytes must'))
})

test("classic-level's options reach the engine: small buffers fill tables", async (context) => {
  const db = await opened(context, {
    writeBufferSize: 4096,
    blockSize: 256,
    cacheSize: 0,
    maxFileSize: 2048,
    compression: false,
  })
  for (let round = 0; round < 5; round++) await fill(db, 500)
  await db.compactRange('', '~')
  const { levels, flushes } = db.statistics()
  assert.ok(flushes > 1, `${flushes} flushes`)
  assert.ok(levels.reduce((sum, { files }) => sum + files, 0) > 1, 'more than one table')
  assert.deepEqual(await db.getMany(['0000', '0499', '0500']), ['0', '499', undefined])
})

test('what was written is there when the database is opened again', async (context) => {
  const location = freshLocation(context)
  const db = new VarveLevel<string, { n: number }>(location, { valueEncoding: 'json' })
  await db.put('a', { n: 1 })
  await db.close()
  const again = new VarveLevel<string, { n: number }>(location, { valueEncoding: 'json', createIfMissing: false })
  assert.deepEqual(await again.get('a'), { n: 1 })
  await again.close()
})

test('a database that is open elsewhere is locked', async (context) => {
  const db = await opened(context)
  const other = new VarveLevel(db.location)
  await assert.rejects(other.open(), (error: Error & { code: string }) => {
    assert.equal(error.code, 'LEVEL_DATABASE_NOT_OPEN')
    assert.equal((error.cause as { code: string }).code, 'LEVEL_LOCKED')
    return true
  })
})

test('a read-only database reads what is there and refuses to write', async (context) => {
  const location = freshLocation(context)
  const db = new VarveLevel(location)
  await db.put('a', '1')
  await db.close()
  const reader = new VarveLevel(location, { readOnly: true })
  assert.equal(await reader.get('a'), '1')
  assert.equal(reader.getSync('a'), '1')
  assert.deepEqual(await reader.iterator().all(), [['a', '1']])
  await assert.rejects(reader.put('b', '2'), { code: 'LEVEL_READONLY' })
  await assert.rejects(reader.batch([{ type: 'del', key: 'a' }]), { code: 'LEVEL_READONLY' })
  await reader.close()
})

test('a damaged table is corruption, however it is read', async (context) => {
  const db = await opened(context, { cacheSize: 0, compression: false })
  await fill(db, 500)
  await db.compactRange('', '~')
  await db.close()
  const folder = join(db.location, 'files')
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name))
    // The first block; the index at the end stays as it is.
    for (let at = 16; at < 48; at++) bytes[at] = (bytes[at] as number) ^ 0xff
    writeFileSync(join(folder, name), bytes)
  }
  await db.open()
  const corrupt = { code: 'LEVEL_CORRUPTION' }
  await assert.rejects(db.get('0000'), corrupt)
  assert.throws(() => db.getSync('0000'), corrupt)
  await assert.rejects(db.getMany(['0000']), corrupt)
  await assert.rejects(db.has('0000'), corrupt)
  await assert.rejects(db.iterator().all(), corrupt)
  await assert.rejects(db.keys().next(), corrupt)
  await assert.rejects(db.clear({ limit: 1 }), corrupt)
  // One tombstone for all: nothing has to be read, and what it covers is not looked at any more.
  await db.clear()
  assert.equal(await db.get('0000'), undefined)
  assert.deepEqual(await db.keys().all(), [])
})

test('clear() is one small write, whatever it deletes, and a snapshot from before it sees all', async (context) => {
  const db = await opened(context)
  await fill(db, 500)
  const snapshot = db.snapshot()
  const before = db.statistics().writtenBytes
  await db.clear({ gte: '0100', lt: '0400' })
  assert.ok(db.statistics().writtenBytes - before < 30)
  assert.equal((await db.keys().all()).length, 200)
  assert.equal((await db.keys({ snapshot }).all()).length, 500)
  await db.clear({ snapshot, gte: '0050', limit: 25 })
  assert.equal((await db.keys().all()).length, 175)
  await snapshot.close()
})

test('a key or value over the limit is an invalid one', async (context) => {
  const db = await opened(context)
  await assert.rejects(db.put('k'.repeat(70_000), ''), { code: 'LEVEL_INVALID_KEY' })
  await assert.rejects(db.get('k'.repeat(70_000)), { code: 'LEVEL_INVALID_KEY' })
})

test('a failed close lets go all the same, and the next one has nothing to do', async (context) => {
  const failure = new Error('no')
  const db = new VarveLevel(freshLocation(context), {
    openShard: async (location, options) => {
      const shard = await open(location, options)
      const close = shard.close.bind(shard)
      shard.close = async () => {
        await close()
        throw failure
      }
      return shard
    },
  })
  await db.open()
  await assert.rejects(db.close(), (error: Error & { code: string }) => {
    assert.equal(error.code, 'LEVEL_DATABASE_NOT_CLOSED')
    return error.cause === failure
  })
  await assert.rejects(db.get('a'), { code: 'LEVEL_DATABASE_NOT_OPEN' })
  await db.close()
  assert.equal(db.status, 'closed')
})

test('buffers and views come back as bytes, strings as strings, and mixed batches keep both', async (context) => {
  const db = await opened(context)
  const bytes = Buffer.from([0, 0xff, 0x80])
  await db.put(bytes, bytes, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  assert.deepEqual(await db.get(bytes, { keyEncoding: 'buffer', valueEncoding: 'buffer' }), bytes)
  const view = await db.get<Uint8Array, Uint8Array>(bytes, { keyEncoding: 'view', valueEncoding: 'view' })
  assert.ok(view instanceof Uint8Array)
  assert.deepEqual([...view], [...bytes])
  await db.batch<string | Buffer, string>(
    [
      { type: 'put', key: 'é€😀', value: 'ü' },
      { type: 'del', key: bytes, keyEncoding: 'buffer' },
    ],
    {},
  )
  assert.deepEqual(await db.iterator().all(), [['é€😀', 'ü']])
  assert.equal(await db.get('é€😀', { valueEncoding: 'hex' }), 'c3bc')
})

test('buffers may be reused as soon as a call has returned', async (context) => {
  const db = await opened<Buffer, Buffer>(context, { keyEncoding: 'buffer', valueEncoding: 'buffer', cacheSize: 0 })
  const lower = Buffer.from('b')
  const key = Buffer.from('b')
  const putting = db.put(key, key)
  key.fill(0)
  await putting
  await db.put(Buffer.from('a'), Buffer.from('1'))
  const iterator = db.iterator({ gte: lower })
  lower.fill(0)
  assert.deepEqual(await iterator.all(), [[Buffer.from('b'), Buffer.from('b')]])
  const sought = db.iterator()
  const target = Buffer.from('b')
  sought.seek(target)
  target.fill(0)
  assert.deepEqual(await sought.all(), [[Buffer.from('b'), Buffer.from('b')]])
  await db.compactRange(Buffer.from('a'), Buffer.from('z'))
  await db.close()
  await db.open()
  const wanted = Buffer.from('b')
  const reading = db.get(wanted)
  wanted.fill(0)
  assert.deepEqual(await reading, Buffer.from('b'))
})

// It kept what it was given until write(), as abstract-level's own does; classic-level copies.
test('a chained batch has its keys and values once they are added: one pair of buffers serves many', async (context) => {
  const db = await opened<Buffer, Buffer>(context, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  const [key, value] = [Buffer.alloc(1), Buffer.alloc(1)]
  const put = (batch: ReturnType<typeof db.batch>, number: number): void => {
    key.writeUInt8(number)
    value.writeUInt8(number * 2)
    batch.put(key, value)
  }
  await db.put(Buffer.of(1), Buffer.of(9))
  const dropped = db.batch()
  put(dropped, 7)
  dropped.clear()
  put(dropped, 8)
  await dropped.close()
  const batch = db.batch()
  put(batch, 5)
  batch.clear()
  for (let number = 2; number < 5; number++) put(batch, number)
  key.writeUInt8(1)
  batch.del(key)
  key.fill(0)
  value.fill(0)
  await batch.write()
  assert.deepEqual(
    await db.iterator().all(),
    [2, 3, 4].map((number) => [Buffer.of(number), Buffer.of(number * 2)]),
  )
})

// A seek looked at bounds that the caller had filled anew, took its target for one outside, and the iterator had ended.
test('the bounds of an iterator may be used again, though it seeks later', async (context) => {
  const db = await opened<Buffer, Buffer>(context, { keyEncoding: 'buffer', valueEncoding: 'buffer' })
  await db.put(Buffer.from('b'), Buffer.from('1'))
  const bounds = { gte: Buffer.from('a'), lte: Buffer.from('c') }
  const keys = db.keys(bounds)
  bounds.gte.fill(0xff)
  bounds.lte.fill(0)
  assert.deepEqual(await keys.next(), Buffer.from('b'))
  keys.seek(Buffer.from('b'))
  assert.deepEqual(await keys.next(), Buffer.from('b'))
  keys.seek(Buffer.from('d'))
  assert.equal(await keys.next(), undefined)
  await keys.close()
})

test('sync that is neither true nor false is refused', async (context) => {
  const db = await opened(context)
  await assert.rejects(db.put('a', '1', { sync: 1 as never }), { name: 'TypeError', message: /^sync must/ })
  await db.put('a', '1', { sync: true })
  await db.del('a', { sync: false })
  await db.batch().put('b', '2').write({ sync: true })
  assert.deepEqual(await db.keys().all(), ['b'])
})

test('a snapshot of another database is refused', async (context) => {
  const [one, other] = [await opened(context), await opened(context)]
  const snapshot = other.snapshot()
  await assert.rejects(one.get('a', { snapshot }), { name: 'TypeError' })
  await assert.rejects(one.get('a', { snapshot: {} as never }), TypeError)
  await snapshot.close()
})
