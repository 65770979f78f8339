/** What is asked for in parts, or under a name that is none, is refused, and nothing is written, deleted or lost. */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
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
  await assert.rejects(db.scan().chunks(1.5)[Symbol.asyncIterator]().next(), wrong)
  other.close()
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
  await assert.rejects(db.deleteRange(given({ prefix: a, limit: 1 })), misspelt('limit'))
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

test('a signal that is none is refused, where it would never have aborted anything', async () => {
  const wrong = { name: 'TypeError', message: 'signal must be an AbortSignal' }
  for (const signal of [{}, 'soon', new AbortController()]) {
    await assert.rejects(db.get(key('a'), given({ signal })), wrong)
    await assert.rejects(db.getMany([key('a')], given({ signal })), wrong)
    const scan = db.scan(given({ signal }))
    await assert.rejects(scan.next(), wrong)
    scan.close()
  }
  assert.equal((await db.get(key('a'), { signal: new AbortController().signal }))?.length, 1)
})
