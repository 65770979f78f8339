/** What abstract-level's suite (test/abstract-level.test.ts) does not ask: options, errors, iterators, maintenance. */

import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { open } from '../../local.ts'
import { SystemClock } from '../../system-clock.ts'
import type { LevelOptions } from './level.ts'
import { VarveLevel } from './varve-level.ts'

/** @param before runs before the directory is removed: hooks run in the order in which they were given */
function freshLocation(context: TestContext, before?: () => Promise<void>): string {
  const root = mkdtempSync(join(tmpdir(), 'varve-level-'))
  context.after(async () => {
    await before?.()
    rmSync(root, { recursive: true, force: true })
  })
  return join(root, 'db')
}

async function opened<K = string, V = string>(
  context: TestContext,
  options?: LevelOptions<K, V>,
): Promise<VarveLevel<K, V>> {
  const db: VarveLevel<K, V> = new VarveLevel<K, V>(
    freshLocation(context, () => db.close()),
    options,
  )
  await db.open()
  return db
}

/** Keys '0000', '0001', … with their number as the value. */
async function fill(db: VarveLevel, count: number): Promise<void> {
  await db.batch(
    Array.from({ length: count }, (_, index) => ({
      type: 'put' as const,
      key: String(index).padStart(4, '0'),
      value: String(index),
    })),
  )
}

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
  await assert.rejects(db.clear(), corrupt)
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

test('a seek outside of the range ends the iterator, one inside goes there', async (context) => {
  const db = await opened(context)
  for (let digit = 0; digit < 10; digit++) await db.put(String(digit), String(digit))
  const cases: readonly (readonly [object, string, string | undefined])[] = [
    [{ gt: '5' }, '4', undefined],
    [{ gt: '5' }, '5', undefined],
    [{ gt: '5' }, '6', '6'],
    [{ gte: '5' }, '4', undefined],
    [{ gte: '5' }, '5', '5'],
    // A closed bound takes precedence over an open one.
    [{ gte: '5', gt: '7' }, '6', '6'],
    [{ gte: '5', gt: '3' }, '4', undefined],
    [{ lt: '5' }, '4', '4'],
    [{ lt: '5' }, '5', undefined],
    [{ lte: '5' }, '5', '5'],
    [{ lte: '5', lt: '3' }, '5', '5'],
    [{ lte: '5', lt: '7' }, '6', undefined],
    [{ lt: '5', reverse: true }, '4', '4'],
    [{ lt: '5', reverse: true }, '6', undefined],
    [{ gt: '5', reverse: true }, '5', undefined],
    [{ gt: '5', reverse: true }, '6', '6'],
    [{ gt: '7', lt: '8' }, '7', undefined],
    [{ gte: '7', lt: '8' }, '7', '7'],
  ]
  for (const [range, target, expected] of cases) {
    const iterator = db.keys(range)
    iterator.seek(target)
    assert.equal(await iterator.next(), expected, `${JSON.stringify(range)} seek ${target}`)
    // Outside is not for ever.
    iterator.seek('5')
    await iterator.next()
    await iterator.close()
  }
})

test('highWaterMarkBytes bounds nextv() and what next() reads ahead, but not all()', async (context) => {
  const db = await opened(context)
  await db.batch().put('a', '0').put('b', '1').put('c', '2').put('d', '3').write()
  const chunk = async (highWaterMarkBytes: number): Promise<number> => {
    const iterator = db.iterator({ highWaterMarkBytes })
    const entries = await iterator.nextv(1000)
    await iterator.close()
    return entries.length
  }
  assert.equal(await chunk(0), 1)
  assert.equal(await chunk(1), 1)
  assert.equal(await chunk(2), 2, 'the mark must be exceeded, not met')
  assert.equal(await chunk(Infinity), 4)
  assert.equal((await db.iterator({ highWaterMarkBytes: 0 }).all()).length, 4)
  const keys = db.keys({ highWaterMarkBytes: 2 })
  assert.deepEqual(await keys.nextv(1000), ['a', 'b', 'c'], 'only what is asked for counts')
  await keys.close()
  for (const wrong of [-1, Number.NaN, '1']) {
    assert.throws(() => db.iterator({ highWaterMarkBytes: wrong as number }), { name: 'TypeError' })
  }
})

test('next(), nextv() and all() can follow one another, whatever was read ahead', async (context) => {
  const db = await opened(context)
  await fill(db, 20)
  const keys = db.keys({ limit: 15 })
  assert.equal(await keys.next(), '0000')
  assert.equal(await keys.next(), '0001')
  assert.deepEqual(await keys.nextv(2), ['0002', '0003'])
  keys.seek('0010')
  assert.equal(await keys.next(), '0010')
  assert.equal(await keys.next(), '0011')
  const rest = await keys.all()
  assert.deepEqual(rest, ['0012', '0013', '0014', '0015', '0016', '0017', '0018', '0019'])
  assert.equal(keys.count, 14)
})

test('what was read ahead and dropped by a seek does not count against the limit', async (context) => {
  const db = await opened(context)
  await fill(db, 10)
  const keys = db.keys({ limit: 5 })
  await keys.next()
  await keys.next()
  keys.seek('0007')
  assert.deepEqual(await keys.nextv(10), ['0007', '0008', '0009'])
  assert.deepEqual(await keys.nextv(10), [])
  await keys.close()
})

test('a long iteration over what is in memory lets the event loop turn', async (context) => {
  let turns = 0
  class CountingClock extends SystemClock {
    override turn(): Promise<void> {
      turns++
      return super.turn()
    }
  }
  const db = await opened(context, { clock: new CountingClock() })
  await fill(db, 9000)
  assert.equal((await db.iterator().all()).length, 9000)
  assert.ok(turns >= 8, `${turns} turns in all()`)
  turns = 0
  for await (const key of db.keys()) assert.equal(key.length, 4)
  assert.ok(turns >= 8, `${turns} turns in next()`)
})

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
