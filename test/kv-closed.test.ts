/** What a shard that was closed says to whoever asks it, and who goes on with what it gave out before. */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const simulation = await Simulation.start(4, TINY_SETTINGS)
after(() => simulation.stop())
const key = (text: string): Buffer => Buffer.from(text)
const given = (value: unknown): never => value as never

test('once it is closed, everything a shard is asked is refused as closed', async () => {
  const last = await simulation.sibling('last')
  const shard = last.db
  const chunks = shard.scan().chunks()[Symbol.asyncIterator]()
  shard.snapshot()
  const verification = shard.verify()
  const columns = shard.keyColumns()
  await shard[Symbol.asyncDispose]()
  for (const call of [
    () => shard.put(key('a'), key('1')),
    () => shard.delete(key('a')),
    () => shard.deleteRange({}),
    () => shard.batch([]),
    () => shard.get(key('a')),
    () => shard.getMany([]),
    () => shard.has(key('a')),
    () => shard.flush(),
    () => shard.compactRange(),
    () => shard.approximateSize(),
    () => shard.get(key('a'), { fresh: true }),
    () => shard.sync(),
    () => shard.settle(),
    () => shard.checkpoint(given({})),
    () => shard.clone('copy'),
    () => shard.split(key('m'), 'left', 'right'),
    () => shard.merge(simulation.db, key('m'), 'merged'),
    () => shard.detach(),
    // Asked for while it was open.
    () => verification.next(),
    () => columns.next(),
    () => chunks.next(),
  ])
    await assert.rejects(call, { code: 'CLOSED' }, String(call))
  for (const call of [
    () => shard.scan(),
    () => shard.snapshot(),
    () => shard.getSync(key('a')),
    () => shard.hasSync(key('a')),
    () => shard.verify(),
    () => shard.keyColumns(),
  ])
    assert.throws(call, { code: 'CLOSED' }, String(call))
})
