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
