/** What is asked for in parts, or under a name that is none, is refused, and nothing is written, deleted or lost. */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const simulation = await Simulation.start(4, TINY_SETTINGS)
after(() => simulation.stop())
const { db } = simulation
const key = (text: string): Buffer => Buffer.from(text)
const given = (value: unknown): never => value as never
for (const name of ['a', 'b', 'c', 'd']) await db.put(key(name), key('1'))
await db.flush()

async function keysThere(): Promise<string> {
  const entries = await db.scan().next()
  return entries.map((entry) => Buffer.from(entry.key).toString()).join(' ')
}

test('a part of an entry cannot be asked for, nor what is no key be sought', async () => {
  for (const limit of [0.5, 1.5]) assert.throws(() => db.scan({ limit }), /limit must be a whole number/)
  const scan = db.scan({ limit: Infinity })
  const wrong = { name: 'RangeError', message: /count must be a whole number or Infinity, got 1.5/ }
  await assert.rejects(scan.next(1.5), wrong)
  assert.throws(() => scan.nextSync(1.5), wrong)
  const other = db.scan()
  assert.throws(() => other.seek(given('a')), /key must be a Uint8Array, got string/)
  assert.throws(() => other.seek(given(3)), /key must be a Uint8Array, got number/)
  assert.equal((await other.next(Infinity)).length, 4)
  assert.equal((await scan.next()).length, 4)
  const { pinnedSeqnos } = db.statistics()
  assert.throws(() => db.scan().chunks(1.5), wrong)
  assert.throws(() => db.scan().chunks(0), { name: 'RangeError', message: 'count must be above 0, got 0' })
  assert.throws(() => db.scan().chunks(given('2')), { name: 'RangeError', message: /count must be a whole number/ })
  // Nobody could close them any more.
  assert.equal(db.statistics().pinnedSeqnos, pinnedSeqnos)
  other.close()
  assert.throws(() => other.chunks(), { code: 'CLOSED' })
  scan.close()
})

test('a misspelt option of a write, a deletion or a scan is refused by name, and nothing is written or deleted', async () => {
  const misspelt = (name: string): object => ({ name: 'TypeError', message: new RegExp(`^unknown option ${name}: `) })
  const a = key('a')
  await assert.rejects(db.put(a, key('9'), given({ sync: true })), misspelt('sync'))
  await assert.rejects(db.delete(a, given({ durabilty: 'synced' })), misspelt('durabilty'))
  await assert.rejects(db.batch([], given({ sync: true })), misspelt('sync'))
  await assert.rejects(db.put(a, key('9'), given('synced')), /options must be an object, got string/)
  // Without bounds, these were everything.
  await assert.rejects(db.deleteRange(given({ start: a, end: a })), misspelt('start'))
  const names = 'unknown option limit: there are gt, gte, lt, lte, prefix'
  await assert.rejects(db.deleteRange(given({ prefix: a, limit: 1 })), { name: 'TypeError', message: names })
  await assert.rejects(db.batch([given({ type: 'deleteRange', from: a })]), misspelt('from'))
  await assert.rejects(db.compactRange(given({ start: a })), misspelt('start'))
  await assert.rejects(db.approximateSize(given({ start: a })), misspelt('start'))
  assert.throws(() => db.scan(given({ revers: true })), misspelt('revers'))
  assert.throws(() => db.scan(given({ gte: a, end: a })), misspelt('end'))
  for (const nothing of [null, 5]) {
    assert.throws(() => db.scan(given(nothing)), /options must be an object/)
    await assert.rejects(db.compactRange(given(nothing)), /options must be an object/)
    await assert.rejects(db.batch([given(nothing)]), /an operation must be an object/)
  }
  assert.equal(await keysThere(), 'a b c d')
  // What is undefined is not given, and an operation is a range too.
  await db.put(key('gone'), key('1'), given({ durability: undefined, sync: undefined }))
  const deletion = { type: 'deleteRange', gte: key('gone'), lte: key('gone') } as const
  await db.deleteRange(deletion)
  await db.batch([deletion])
  assert.equal(await keysThere(), 'a b c d')
})

test('an operation of a batch that is misspelt, or asks for a rung of its own, is refused, and nothing of the batch is applied', async () => {
  const [a, b] = [key('a'), key('9')]
  for (const [operation, message] of [
    [{ type: 'put', key: a, valeu: b }, /value must be a Uint8Array, got undefined/],
    [{ type: 'put', kye: a, value: b }, /key must be a Uint8Array, got undefined/],
    [{ type: 'delete', kye: a }, /key must be a Uint8Array, got undefined/],
    [{ type: 'delete', gte: a }, /key must be a Uint8Array, got undefined/],
    [{ typ: 'put', key: a, value: b }, /type must be/],
    [{ type: 'Put', key: a, value: b }, /type must be/],
    [{ type: 'del', key: a }, /type must be/],
    [{ type: 'deleteRange', key: a }, /unknown option key/],
    [{ type: 'deleteRange', gte: a, le: a }, /unknown option le/],
    // The whole batch was only written.
    [{ type: 'put', key: a, value: b, durability: 'synced' }, /durability is not of one operation/],
    [{ type: 'delete', key: a, sync: true }, /sync is not of one operation/],
    [{ type: 'deleteRange', gte: a, lte: a, durability: 'synced' }, /unknown option durability/],
  ] as const) {
    const operations = [{ type: 'put', key: key('e'), value: b }, operation]
    await assert.rejects(db.batch(given(operations)), { name: 'TypeError', message })
  }
  assert.equal(await keysThere(), 'a b c d')
  assert.equal(String(await db.get(a)), '1')
  await db.batch([given({ type: 'put', key: a, value: key('1'), durability: undefined, index: 3 })])
})

test('bounds of a deletion that are all undefined are refused, where they deleted everything', async () => {
  for (const range of [
    { gte: undefined },
    { gt: undefined, lt: undefined },
    { prefix: undefined },
    { start: undefined },
  ]) {
    const wrong = { name: 'TypeError', message: /^\w+ is undefined, and no other bound is given/ }
    await assert.rejects(db.deleteRange(given(range)), wrong)
    await assert.rejects(db.batch([given({ type: 'deleteRange', ...range })]), wrong)
  }
  assert.equal(await keysThere(), 'a b c d')
  await db.put(key('gone'), key('1'))
  await db.deleteRange(given({ gte: key('gone'), lt: undefined }))
  assert.equal(await keysThere(), 'a b c d')
})

test('a list, a date or bytes in the place of a range are refused, where they deleted everything', async () => {
  for (const range of [[], [key('a'), key('b')], new Date(0), Buffer.alloc(0), new Map([['gte', key('a')]])]) {
    const wrong = { name: 'TypeError', message: /^options must be an object, got / }
    await assert.rejects(db.deleteRange(given(range)), wrong)
    await assert.rejects(db.compactRange(given(range)), wrong)
    await assert.rejects(db.approximateSize(given(range)), wrong)
    assert.throws(() => db.scan(given(range)), wrong)
    await assert.rejects(db.put(key('a'), key('9'), given(range)), wrong)
  }
  assert.equal(await keysThere(), 'a b c d')
})

test('what is no plain object and names no bound is no range to delete, where it deleted everything', async () => {
  class Hidden {
    readonly #prefix = key('a')
    prefixOf(): Buffer {
      return this.#prefix
    }
  }
  const scan = db.scan({ prefix: key('a') })
  for (const range of [scan, new Hidden(), Object.create(new Hidden())]) {
    await assert.rejects(db.deleteRange(given(range)), { name: 'TypeError', message: /must be a plain object/ })
    const operation = Object.assign(Object.create(Object.getPrototypeOf(range)), { type: 'deleteRange' })
    await assert.rejects(db.batch([given(operation)]), { name: 'TypeError', message: /must be a plain object/ })
  }
  scan.close()
  assert.equal(await keysThere(), 'a b c d')
  // Bounds may stand where they are found.
  await db.put(key('gone'), key('1'))
  await db.deleteRange(given(Object.create({ prefix: key('gone') })))
  assert.equal(await keysThere(), 'a b c d')
})

test('an option of a read that is unknown, or of the wrong kind, is refused by name', async () => {
  const a = key('a')
  const reads: Record<string, (options: unknown) => unknown> = {
    get: (options) => db.get(a, given(options)),
    has: (options) => db.has(a, given(options)),
    getMany: (options) => db.getMany([], given(options)),
    getSync: (options) => db.getSync(a, given(options)),
    hasSync: (options) => db.hasSync(a, given(options)),
    verify: (options) => db.verify(given(options)),
    keyColumns: (options) => db.keyColumns(given(options)),
    scan: (options) => db.scan(given(options)),
  }
  const refused = async (name: string, options: unknown, message: RegExp): Promise<void> => {
    const read = reads[name] as (typeof reads)['get']
    await assert.rejects(async () => read(options), { name: 'TypeError', message }, name)
  }
  for (const name of Object.keys(reads)) {
    await refused(name, { snapshoot: undefined, unheardOf: 1 }, /^unknown option unheardOf: /)
    for (const options of [null, 'fresh', []]) await refused(name, options, /^options must be an object, got /)
  }
  for (const name of ['get', 'has', 'getMany'])
    await refused(name, { fresh: 1 }, /^fresh must be a boolean, got number/)
  for (const name of ['getSync', 'hasSync'])
    await refused(name, { mayBlock: null }, /^mayBlock must be a boolean, got null/)
  for (const part of ['keys', 'values', 'reverse'])
    await refused('scan', { [part]: 0 }, new RegExp(`^${part} must be a boolean`))
  await refused('verify', { level: 'everything' }, /^level must be 'bytes' or 'structure', got everything/)
  await assert.rejects(
    db.put(a, key('9'), given({ durability: null })),
    /durability must be 'written' or 'synced', got null/,
  )
  const scan = db.scan()
  await assert.rejects(scan.next(1, given([5])), /bytes must be above 0/)
  await assert.rejects(scan.next(given('1')), /count must be a whole number/)
  scan.close()
  assert.equal((await db.get(a, given({ snapshot: undefined, unheardOf: undefined })))?.toString(), key('1').toString())
  assert.equal(await keysThere(), 'a b c d')
})

test('bytes of another realm are bytes: keys, values, bounds and what is sought', async () => {
  const bytes = (text: string): Uint8Array =>
    runInNewContext('new Uint8Array(list)', { list: [...key(text)] }) as Uint8Array
  assert.ok(!(bytes('r') instanceof Uint8Array))
  await db.put(bytes('r1'), bytes('1'))
  await db.batch([
    { type: 'put', key: bytes('r2'), value: bytes('2') },
    { type: 'put', key: bytes('r3'), value: bytes('3') },
    { type: 'delete', key: bytes('r3') },
  ])
  assert.equal(String(await db.get(bytes('r2'))), '2')
  assert.deepEqual((await db.getMany([bytes('r1'), bytes('r3')])).map(String), ['1', 'undefined'])
  const scan = db.scan({ gte: bytes('r'), prefix: bytes('r') })
  scan.seek(bytes('r2'))
  assert.deepEqual(
    (await scan.next()).map((entry) => String(entry.key)),
    ['r2'],
  )
  scan.close()
  await db.deleteRange({ prefix: bytes('r') })
  const words = runInNewContext('new Uint16Array(1)') as Uint8Array
  await assert.rejects(db.put(words, words), /key must be a Uint8Array, got Uint16Array/)
  assert.equal(await keysThere(), 'a b c d')
})

test('a signal that is none is refused, where it would never have aborted anything', async () => {
  const wrong = { name: 'TypeError', message: 'signal must be an AbortSignal' }
  for (const signal of [{}, 'soon', null, 0, new AbortController()]) {
    await assert.rejects(db.get(key('a'), given({ signal })), wrong)
    await assert.rejects(db.getMany([key('a')], given({ signal })), wrong)
    await assert.rejects(db.has(key('a'), given({ signal, fresh: true })), wrong)
    assert.throws(() => db.scan(given({ signal })), wrong)
    assert.throws(() => db.verify(given({ signal })), wrong)
    assert.throws(() => db.keyColumns(given({ signal })), wrong)
  }
  assert.equal((await db.get(key('a'), { signal: new AbortController().signal }))?.length, 1)
})
