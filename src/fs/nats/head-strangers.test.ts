/** Somebody else publishes under the subject of a head. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { shardId } from '../../kernel/ids.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedServer, SimulatedStreams } from '../../../test/nats/simulated-streams.ts'
import { TurningClock } from '../../../test/nats/turning-clock.ts'
import { NatsHeadStore } from './nats-head-store.ts'

const hash = await loadHash()
const [SHARD, STREAM] = [shardId('shard-1'), 'varve-head-shard-1']
const GREETING = new Uint8Array(Buffer.from('hello'))
const [FIRST, SECOND] = [Buffer.from('first '.repeat(20)), Buffer.from('second '.repeat(20))]

function place(fragmentBytes: number): { readonly heads: NatsHeadStore; readonly server: SimulatedServer } {
  const [server, clock, random] = [new SimulatedServer(), new TurningClock(), new SeededRandom(1)]
  const streams = new SimulatedStreams({ server, clock, random })
  return { heads: new NatsHeadStore({ streams, hash, clock, random, settings: { fragmentBytes } }), server }
}

const corrupt = (error: unknown): boolean => isCode(error, 'HEAD_CORRUPT') && /passOver/.test(error.message)

// Nothing of the shard could be read or changed any more, for ever, and nothing said what to do.
test('a stranger behind a head is named, and passed over when that is asked for: the head is as it was', async () => {
  for (const fragmentBytes of [1000, 50]) {
    const { heads, server } = place(fragmentBytes)
    const version = await heads.compareAndSet(SHARD, undefined, FIRST)
    server.store(STREAM, GREETING)
    await assert.rejects(heads.read(SHARD), corrupt)
    await assert.rejects(heads.compareAndSet(SHARD, version, SECOND), corrupt)
    const strangers = await heads.strangers(SHARD)
    assert.deepEqual(
      strangers.map(({ data }) => data),
      [GREETING],
    )
    server.store(STREAM, new Uint8Array(100))
    await assert.rejects(heads.passOver(SHARD, strangers), { code: 'IO_FAILED', message: /look at them again/ })
    const both = await heads.strangers(SHARD)
    assert.equal(both.length, 2)
    await assert.rejects(heads.passOver(SHARD, both.toReversed()), { code: 'IO_FAILED' })
    await heads.passOver(SHARD, both)
    const head = await heads.read(SHARD)
    assert.deepEqual(Buffer.from(head?.content ?? []), FIRST)
    assert.notEqual(head?.version, version)
    await assert.rejects(heads.compareAndSet(SHARD, version, SECOND), { code: 'HEAD_CONFLICT' })
    await heads.compareAndSet(SHARD, head?.version, SECOND)
    await heads.passOver(SHARD, both)
    assert.deepEqual(Buffer.from((await heads.read(SHARD))?.content ?? []), SECOND)
    assert.deepEqual(await heads.strangers(SHARD), [])
  }
})

test('a stranger who came first goes, and one in the place of a head that was removed stays', async () => {
  const { heads, server } = place(1000)
  assert.deepEqual(await heads.strangers(SHARD), [])
  server.make(STREAM)
  server.store(STREAM, GREETING)
  await assert.rejects(heads.compareAndSet(SHARD, undefined, FIRST), corrupt)
  await heads.passOver(SHARD, await heads.strangers(SHARD))
  const version = await heads.compareAndSet(SHARD, undefined, FIRST)
  await heads.compareAndSet(SHARD, version, SECOND)
  const stream = server.streams.get(STREAM)
  assert.ok(stream !== undefined)
  while (stream.messages.size > 1) await new Promise((resolve) => setImmediate(resolve))
  stream.messages.set(stream.last, GREETING)
  const damaged = await heads.strangers(SHARD)
  assert.equal(damaged.length, 1)
  await assert.rejects(heads.passOver(SHARD, damaged), { code: 'HEAD_CORRUPT', message: /no head in front/ })
  assert.equal(stream.messages.size, 1)
})
