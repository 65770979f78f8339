/** A shard on NATS servers that are all dead, or whose connection has given up: nothing waits for longer than it is told to. */

import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { NatsConnection, NodeConnectionOptions } from '@nats-io/transport-node'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { NatsHeadStore } from '../../src/fs/nats/nats-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { NatsJournalSystem } from '../../src/journal/nats/nats-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import type { JetStream } from '../../src/nats/jet-stream.ts'
import { TINY_SETTINGS } from '../simulation.ts'
import { NatsPlace, clock, random, skipWithoutNats } from './nats-place.ts'

const CLOSED_MS_MAX = 30_000
const hash = await loadHash()
const key = Buffer.from('key')

async function open(streams: JetStream, replicas: number): Promise<KvShard> {
  const files = new MemoryFileStore({ hash })
  const options = { streams, hash, clock, random, settings: { replicas } }
  const parts = {
    shard: shardId('main'),
    files,
    heads: new NatsHeadStore(options),
    journal: new NatsJournalSystem(options),
    jobs: new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) }),
    clock,
    random,
    hash,
  }
  return openKv(parts, { settings: TINY_SETTINGS })
}

interface OnThree {
  readonly place: NatsPlace
  readonly streams: JetStream
  /** With one entry. */
  readonly shard: KvShard
}

/** A shard on servers of its own, which are stopped after the test. */
async function openOnThree(options: Partial<NodeConnectionOptions> = {}): Promise<OnThree> {
  const place = await NatsPlace.start(3)
  after(() => place.stop())
  const streams = await place.streams({}, options)
  const shard = await open(streams, 3)
  await shard.put(key, Buffer.from('1'))
  return { place, streams, shard }
}

function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: Error & { readonly code?: string }) => error.code ?? error.message,
  )
}

/** Writes until it is told that it cannot. @returns with what */
async function keepWriting(shard: KvShard, writer: number): Promise<string> {
  for (let index = 0; ; index++) {
    const code = await codeOf(shard.put(Buffer.from(`${writer}/${index % 100}`), Buffer.alloc(100, index)))
    if (code !== 'done') return code
  }
}

for (const [dead, underWay] of [
  [2, true],
  [3, true],
  [3, false],
] as const) {
  const what = underWay ? 'with writes and flushes under way' : 'with nothing under way'
  const name = `closing a shard ${what} when ${dead} of three servers are dead ends within 30 seconds`
  test(name, skipWithoutNats, async (context) => {
    const { place, shard } = await openOnThree()
    const writers = underWay ? [1, 2, 3, 4].map((writer) => keepWriting(shard, writer)) : []
    while (underWay && shard.statistics().files < 3) await new Promise((resolve) => setTimeout(resolve, 10))
    await Promise.all(Array.from({ length: dead }, (_, index) => place.servers.kill(index)))
    const sinceMs = clock.monotonic()
    await shard.close()
    const tookMs = clock.monotonic() - sinceMs
    context.diagnostic(`closing took ${Math.round(tookMs)} ms`)
    assert.ok(tookMs < CLOSED_MS_MAX, `closing took ${tookMs} ms`)
    const told = await Promise.all(writers)
    // Those held back for a flush, which cannot end any more, were never sent.
    assert.ok(
      told.every((code) => code === 'OUTCOME_UNKNOWN' || code === 'CLOSED'),
      String(told),
    )
  })
}

test(
  'a shard whose connection its program has closed, or that gives up, says so at once',
  skipWithoutNats,
  async () => {
    const place = await NatsPlace.start(1)
    after(() => place.stop())
    for (const way of ['closed', 'gives up'] as const) {
      const streams = await place.streams({}, way === 'gives up' ? { maxReconnectAttempts: 2 } : {})
      const shard = await open(streams, 1)
      await shard.put(key, Buffer.from('1'))
      const ended = (streams.connection as NatsConnection).closed()
      if (way === 'closed') await (streams.connection as NatsConnection).close()
      else await place.servers.kill(0)
      await ended
      const sinceMs = clock.monotonic()
      for (let index = 0; index < 2; index++) assert.equal(await codeOf(shard.put(key, key)), 'CLOSED')
      assert.equal(await codeOf(shard.get(key, { fresh: true })), 'CLOSED')
      assert.equal(String(await shard.get(key)), '1')
      await shard.close()
      const tookMs = clock.monotonic() - sinceMs
      assert.ok(tookMs < 5_000, `it took ${tookMs} ms`)
    }
  },
)

// The client of NATS asks every two minutes by default, and tries the same server first, for 20 seconds.
test(
  'where the server that a connection is with falls silent, writes go on with another',
  skipWithoutNats,
  async () => {
    // As docs/remote.md says.
    const { place, streams, shard } = await openOnThree({ pingInterval: 3_000, timeout: 3_000 })
    const port = streams.connection.getServer?.().split(':').at(-1)
    const silent = place.servers.addresses.findIndex((address) => address.endsWith(`:${port}`))
    await place.servers.asleep(async () => {
      await shard.put(key, Buffer.from('2'))
      assert.equal(String(await shard.get(key, { fresh: true })), '2')
      await shard.flush()
    }, [silent])
    await shard.close()
  },
)

test(
  'closing a shard with writes under way when all three servers are silent ends within 30 seconds',
  skipWithoutNats,
  async (context) => {
    const { place, shard } = await openOnThree()
    await place.servers.asleep(async () => {
      const write = codeOf(shard.put(key, Buffer.from('2')))
      const sinceMs = clock.monotonic()
      await shard.close()
      const tookMs = clock.monotonic() - sinceMs
      context.diagnostic(`closing took ${Math.round(tookMs)} ms`)
      assert.ok(tookMs < CLOSED_MS_MAX, `closing took ${tookMs} ms`)
      assert.equal(await write, 'OUTCOME_UNKNOWN')
    })
  },
)
