/** `sync()` is about every write before it, whoever waits for which. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

const text = (value: string): Uint8Array => Buffer.from(value)

const MADE_DURABLE: readonly (readonly [name: string, make: (db: KvShard) => Promise<void>])[] = [
  ['sync()', (db) => db.sync()],
  ['a synced batch of nothing', (db) => db.batch([], { durability: 'synced' })],
  [
    'a synced deletion of an empty range',
    (db) => db.deleteRange({ gte: text('b'), lt: text('a') }, { durability: 'synced' }),
  ],
]

for (const [name, make] of MADE_DURABLE) {
  test(`${name} takes along what was written in the same turn, and is not awaited`, async () => {
    const simulation = await Simulation.start(1, TINY_SETTINGS)
    await simulation.db.put(text('awaited'), text('1'))
    void simulation.db.put(text('not awaited'), text('2'))
    await make(simulation.db)
    // Nothing that was not synced is there after it.
    simulation.device = simulation.device.crash({ data: 'none', names: 'none' }, 1)
    await simulation.open()
    assert.deepEqual(await simulation.db.get(text('awaited')), text('1'))
    assert.deepEqual(await simulation.db.get(text('not awaited')), text('2'))
    await simulation.stop()
  })
}
