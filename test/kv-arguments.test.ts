/** Wrong arguments of a key-value shard are refused by name, at once, and change nothing; edges of what is right are not. */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { KV_LIMITS } from '../src/engines/kv/limits.ts'
import { checkOrder, resolveOrder } from '../src/engines/kv/named-order.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { resolveKvSettings } from '../src/engines/kv/settings.ts'
import { KeyRing } from '../src/fs/key-ring.ts'
import { BYTEWISE } from '../src/kernel/key-order.ts'
import { resolveShardSettings } from '../src/shard/settings.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const simulation = await Simulation.start(1, TINY_SETTINGS)
after(() => simulation.stop())
const { db } = simulation
const key = (text: string): Buffer => Buffer.from(text)
const given = (value: unknown): never => value as never

async function entriesOf(from: KvShard): Promise<string[]> {
  const found: string[] = []
  for await (const entry of from.scan())
    found.push(`${Buffer.from(entry.key).toString()}=${Buffer.from(entry.value).toString()}`)
  return found
}

test('a write of what is no key, value, range, operation or rung is rejected and writes nothing', async () => {
  await db.put(key('kept'), key('1'))
  const tooLong = Buffer.alloc(KV_LIMITS.keyBytesMax + 1)
  // Nothing is touched: the length is all that is looked at.
  const tooMuch = new Uint8Array(KV_LIMITS.valueBytesMax + 1)
  const wrong: readonly (readonly [Promise<void>, RegExp])[] = [
    [db.put(given('text'), key('1')), /key must be a Uint8Array, got string/],
    [db.put(given(null), key('1')), /key must be a Uint8Array, got null/],
    [db.put(key('a'), given(undefined)), /value must be a Uint8Array, got undefined/],
    [db.put(key('a'), key('1'), given({ durability: 'maybe' })), /durability must be/],
    [db.delete(given(7)), /key must be a Uint8Array, got number/],
    [db.deleteRange(given(null)), /range must be an object, got null/],
    [db.deleteRange({ gt: key('a'), gte: key('a') }), /gt or gte, not both/],
    [db.deleteRange({ lt: key('a'), lte: key('a') }), /lt or lte, not both/],
    [db.deleteRange({ gte: given('a') }), /gte must be a Uint8Array, got string/],
    [db.batch(given({})), /operations must be an array, got object/],
    [
      db.batch([{ type: 'put', key: key('a'), value: key('1') }, given({ type: 'get', key: key('a') })]),
      /type must be/,
    ],
  ]
  for (const [call, message] of wrong) await assert.rejects(call, { name: 'TypeError', message })
  const beyond = [
    db.put(tooLong, key('1')),
    db.put(key('a'), tooMuch),
    db.deleteRange({ gte: key('a'), lt: tooLong }),
    db.batch(given({ __proto__: Array.prototype, length: KV_LIMITS.operationsMax + 1 })).catch(() => tooMany()),
  ]
  for (const call of beyond) await assert.rejects(call, { code: 'LIMIT_EXCEEDED' })
  assert.deepEqual(await entriesOf(db), ['kept=1'])
})

function tooMany(): Promise<void> {
  const operation = { type: 'delete', key: key('kept') } as const
  return db.batch(Array.from({ length: KV_LIMITS.operationsMax + 1 }, () => operation))
}

test('a batch larger than all that a batch may have is refused whole', async () => {
  const value = new Uint8Array(KV_LIMITS.valueBytesMax)
  const count = Math.ceil(KV_LIMITS.batchBytesMax / value.length) + 1
  const operations = Array.from({ length: count }, (_, index) => ({
    type: 'put' as const,
    key: Buffer.from([index]),
    value,
  }))
  await assert.rejects(db.batch(operations), { code: 'LIMIT_EXCEEDED' })
  assert.deepEqual(await entriesOf(db), ['kept=1'])
})

test('a range without a key in it deletes nothing, alone and in a batch, and still syncs what was written before', async () => {
  const none = { gte: key('b'), lt: key('a') }
  await db.put(key('a'), key('1'))
  await db.deleteRange(none, { durability: 'synced' })
  await db.batch([{ type: 'deleteRange', ...none }])
  await db.batch([
    { type: 'put', key: key('b'), value: key('2') },
    { type: 'deleteRange', gte: key('a'), lte: key('a') },
  ])
  assert.deepEqual(await entriesOf(db), ['b=2', 'kept=1'])
  simulation.device.operations.length = 0
  await db.batch([], { durability: 'synced' })
  assert.ok(
    simulation.device.operations.some(({ operation, path }) => operation === 'sync' && path.endsWith('.log')),
    'an empty batch, too',
  )
})

test('a read of what is no key, or of a snapshot that is not its own or closed, is refused', async () => {
  const sibling = await simulation.sibling('other')
  const foreign = sibling.db.snapshot()
  const closed = db.snapshot()
  closed.close()
  closed.close()
  db.snapshot()[Symbol.dispose]()
  const type = { name: 'TypeError' }
  await assert.rejects(db.get(given('text')), type)
  await assert.rejects(db.has(given('text')), type)
  await assert.rejects(db.getMany(given('text')), /keys must be an array/)
  await assert.rejects(db.getMany([key('a'), given('text')]), type)
  await assert.rejects(db.get(key('a'), { snapshot: foreign }), /belongs to another shard/)
  await assert.rejects(db.get(key('a'), { snapshot: given({ seqno: 1 }) }), /must come from snapshot/)
  await assert.rejects(db.get(key('a'), { snapshot: closed }), { code: 'CLOSED' })
  assert.throws(() => db.getSync(given('text')), type)
  await sibling.stop()
})

test('what a scan cannot do is refused before it begins, and a closed one gives nothing more', async () => {
  assert.throws(() => db.scan({ limit: -1 }), /RangeError: limit must be 0 or more, got -1/)
  assert.throws(() => db.scan({ limit: given('1') }), /TypeError: limit must be a number, got string/)
  assert.throws(() => db.scan({ limit: NaN }), /TypeError: limit must be a number, got NaN/)
  assert.throws(() => db.scan({ reverse: given('yes') }), /reverse must be a boolean, got string/)
  assert.throws(() => db.scan({ prefix: given([]) }), /prefix must be a Uint8Array, got Array/)
  const slow = await Simulation.start(2, { ...TINY_SETTINGS, cacheBytes: 0 }, { syncRead: false })
  await slow.db.put(key('a'), key('1'))
  await slow.db.flush()
  const scan = slow.db.scan()
  await assert.rejects(scan.next(0), RangeError)
  await assert.rejects(scan.next(1, NaN), RangeError)
  const first = scan.next(1)
  assert.throws(() => scan.nextSync(1), /while an earlier next\(\) is running/)
  assert.throws(() => scan.seek(key('a')), /while next\(\) is running/)
  assert.equal((await first).length, 1)
  await scan[Symbol.asyncDispose]()
  scan.close()
  await assert.rejects(scan.next(1), { code: 'CLOSED' })
  assert.throws(() => scan.seek(key('a')), { code: 'CLOSED' })
  const cut = slow.db.scan()
  const waiting = cut.next()
  cut.close()
  await assert.rejects(waiting, { code: 'CLOSED' })
  await slow.stop()
})

test('a prefix and bounds narrow each other, whichever is tighter', async () => {
  const texts = ['p', 'pa', 'pb', 'pc', 'q']
  for (const text of texts) await db.put(key(text), key('1'))
  const found = async (options: Parameters<KvShard['scan']>[0]): Promise<string> => {
    const entries = await db.scan({ ...options, values: false }).next()
    return entries.map((entry) => Buffer.from(entry.key).toString()).join(' ')
  }
  const prefix = key('p')
  assert.equal(await found({ prefix }), 'p pa pb pc')
  assert.equal(await found({ prefix, gt: key('pa'), lt: key('pc') }), 'pb')
  assert.equal(await found({ prefix, gte: key('a'), lte: key('z') }), 'p pa pb pc')
  assert.equal(await found({ prefix: key('pb'), gte: key('pa'), lt: key('pc') }), 'pb')
  await db.put(Buffer.from([0xff, 1]), key('1'))
  assert.equal((await db.scan({ prefix: Buffer.from([0xff]) }).next()).length, 1, 'nothing is above this prefix')
  assert.equal((await db.scan({ prefix: Buffer.from([0xff]), lt: Buffer.from([0xff, 1]) }).next()).length, 0)
})

test('in a reverse scan that is cut off by a flush, and sought outside its range, each entry comes once and in order', async () => {
  const bounds = { gte: key('p'), lt: key('q') }
  const scan = db.scan({ ...bounds, reverse: true })
  const next = async (): Promise<string> => Buffer.from((await scan.next(1))[0]?.key ?? []).toString()
  assert.equal(await next(), 'pc')
  await db.flush()
  assert.equal(await next(), 'pb')
  scan.seek(key('z'))
  assert.equal(await next(), 'pc', 'the whole range lies ahead')
  scan.seek(key('pa'))
  assert.deepEqual(
    scan.nextSync().map((entry) => Buffer.from(entry.key).toString()),
    ['pa', 'p'],
  )
  assert.equal(await next(), '')
  scan.seek(key('a'))
  assert.equal(await next(), '')
  scan.close()
})

test('sizes of ranges are of what is in files and in memory, and an empty range has none', async () => {
  await db.flush()
  assert.equal(await db.approximateSize({ gte: key('b'), lt: key('a') }), 0)
  const size = await db.approximateSize()
  assert.ok(size > 0)
  assert.ok((await db.approximateSize({ lt: key('a') })) <= size)
  for (const right of [db, null, {}, 'other'] as KvShard[])
    await assert.rejects(db.merge(right, key('a'), 'merged'), /merged with another/)
})

test('settings and options are refused by name', async () => {
  for (const [settings, message] of [
    [{ level0Files: '2' }, /level0Files must be a number/],
    [{ levelCount: 1 }, /levelCount must be 2…/],
    [{ compression: 'zip' }, /compression must be/],
    [{ keyColumns: 1 }, /keyColumns must be a boolean/],
    [{ policy: 'lazy' }, /policy must be one of/],
    [{ level0Files: 4, level0FilesStop: 4 }, /level0FilesStop must be above level0Files/],
  ] as const)
    assert.throws(() => resolveKvSettings(given(settings)), message)
  for (const [settings, message] of [
    [{ memtableBites: 1 }, /unknown setting memtableBites: there are memtableBytes, /],
    [{ memtableBytes: 1.5 }, /memtableBytes must be an integer/],
    [{ memtableBytes: 0 }, /memtableBytes must be/],
  ] as const)
    assert.throws(() => resolveShardSettings(given(settings)), message)
  const other = new Simulation(2, TINY_SETTINGS)
  await assert.rejects(other.open({ readOnly: given('yes') }), /readOnly must be a boolean, got string/)
  other.settings = given({ blocks: 1 })
  await assert.rejects(other.open(), /unknown setting blocks: there are .*blockBytes.*memtableBytes/)
  other.settings = given(7)
  await assert.rejects(other.open(), /settings must be an object/)
})

test('a directory is no target of a checkpoint and no components, and whoever gives it hears what takes one', async () => {
  const noTarget = { name: 'TypeError', message: /target must have files and heads; .*checkpoint\(db, directory\)/ }
  for (const target of ['backup', undefined]) await assert.rejects(db.checkpoint(given(target)), noTarget)
  await assert.rejects(db.checkpoint(given({}), given({ singal: 1 })), /unknown option singal: there are signal/)
  await assert.rejects(db.checkpoint(given({}), { signal: given(true) }), /signal must be an AbortSignal/)
  await assert.rejects(openKv(given('data')), /components must be an object, got string; open\(directory\) makes them/)
  await assert.rejects(openKv(given({ shard: 'main' })), { name: 'TypeError', message: 'components must have files' })
  assert.throws(() => new KeyRing([given(null)]), { name: 'TypeError', message: /^the id of a key must match/ })
})

test('an order must be one, have a name of its own, and be found again by its name', async () => {
  const order = { name: 'falling', bytewise: false, compare: () => 0 }
  const module =
    'data:text/javascript,export const falling = { name: "falling", compare() {} }; export const nothing = 1'
  const named = { order, module, export: 'falling' }
  for (const [wrong, message] of [
    [{ ...named, order: undefined }, /must be a KeyOrder/],
    [{ ...named, order: { ...order, name: 1 } }, /must be a KeyOrder/],
    [{ ...named, module: 1 }, /must be strings/],
    [{ ...named, export: 1 }, /must be strings/],
    [{ ...named, order: { ...order, bytewise: true } }, /a name of its own/],
    [{ ...named, order: { ...order, name: BYTEWISE.name } }, /a name of its own/],
    [{ ...named, order: { ...order, name: '' } }, /a name of its own/],
  ] as const)
    assert.throws(() => checkOrder(given(wrong)), { name: 'TypeError', message })
  assert.equal(checkOrder(given(named)), order)
  assert.equal(checkOrder(undefined), BYTEWISE)
  assert.equal(await resolveOrder(undefined), BYTEWISE)
  const reference = { name: 'falling', module, export: 'falling' }
  assert.equal((await resolveOrder(reference)).name, 'falling')
  for (const wrong of [
    { ...reference, module: 'data:text/javascript,throw 1' },
    { ...reference, export: 'nothing' },
    { ...reference, name: 'rising' },
  ])
    await assert.rejects(resolveOrder(wrong), { code: 'INCOMPATIBLE' })
})

test('a shard that is only read says so of everything that would change it', async () => {
  await db.sync()
  const reader = new Simulation(3, TINY_SETTINGS)
  reader.device = simulation.device
  reader.cleansUp = false
  await reader.open({ readOnly: true })
  const read = reader.db
  assert.equal(read.readOnly, true)
  const entries = await entriesOf(read)
  assert.ok(entries.includes('kept=1'))
  for (const call of [
    () => read.put(key('a'), key('1')),
    () => read.batch([{ type: 'delete', key: key('kept') }]),
    () => read.flush(),
    () => read.compactRange(),
    () => read.sync(),
    () => read.clone('copy'),
    () => read.detach(),
    () => read.split(key('m'), 'left', 'right'),
    () => read.get(key('a'), { fresh: true }),
    () => read.checkpoint(given({})),
  ])
    await assert.rejects(call, { code: 'READ_ONLY' }, String(call))
  assert.deepEqual(await entriesOf(read), entries)
  const before = read.snapshot()
  await read.close()
  await assert.rejects(read.get(key('kept'), { snapshot: before }), { code: 'CLOSED' })
})
