/** A key-value shard whose journal, head and jobs are on NATS, and whose files are in memory: written, taken over, read. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { NatsHeadStore } from '../../src/fs/nats/nats-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { NatsJobWorker } from '../../src/jobs/nats/nats-job-worker.ts'
import { NatsScheduler } from '../../src/jobs/nats/nats-scheduler.ts'
import { NatsJournalSystem } from '../../src/journal/nats/nats-journal-system.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { JetStreamQueues } from '../../src/nats/jet-stream-queues.ts'
import { TINY_SETTINGS } from '../simulation.ts'
import { NatsPlace, clock, random, skipWithoutNats } from './nats-place.ts'

const hash = await loadHash()
const keyOf = (index: number): Uint8Array => Buffer.from(`key ${String(index % 120).padStart(4, '0')}`)
const valueOf = (owner: number, index: number): Uint8Array => Buffer.from(`${owner}/${index}`.padEnd(40))

describe('a shard on NATS', skipWithoutNats, () => {
  let place: NatsPlace
  before(async () => {
    place = await NatsPlace.start(1)
  })
  after(() => place.stop())

  test('owners that take over from each other find all that was written, compacted by a worker elsewhere', async () => {
    const files = new MemoryFileStore({ hash })
    const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
    const inner = new InlineScheduler({ files, hash, clock, handlers })
    const queues = new JetStreamQueues(await place.streams())
    const worker = new NatsJobWorker({ queues, queue: 'kv', jobs: inner, clock })
    const schedulers: NatsScheduler[] = []
    const owners: KvShard[] = []

    const open = async (): Promise<KvShard> => {
      const streams = await place.streams()
      const options = { streams, hash, clock, random }
      const scheduler = new NatsScheduler({
        ...options,
        queues: new JetStreamQueues(streams),
        queue: 'kv',
        shard: 'main',
        // Longer than a busy machine keeps the worker from asking.
        settings: { startMs: 60_000 },
      })
      schedulers.push(scheduler)
      const owner = await openKv(
        {
          shard: shardId('main'),
          files,
          heads: new NatsHeadStore(options),
          journal: new NatsJournalSystem(options),
          jobs: scheduler,
          localJobs: inner,
          clock,
          random,
          hash,
        },
        { settings: TINY_SETTINGS },
      )
      owners.push(owner)
      return owner
    }

    const expected = new Map<string, string>()
    const fenced = (error: unknown): boolean => isCode(error, 'FENCED', 'POISONED', 'CLOSED')
    for (let number = 1; number <= 3; number++) {
      const former = owners.at(-1)
      const owner = await open()
      for (let index = 0; index < 120; index++) {
        const found = await owner.get(keyOf(index))
        const text = found === undefined ? undefined : Buffer.from(found).toString()
        assert.equal(text, expected.get(Buffer.from(keyOf(index)).toString()), `owner ${number} reads key ${index}`)
      }
      if (former !== undefined) await assert.rejects(former.put(keyOf(0), valueOf(0, 0)), fenced)
      const writes: Promise<void>[] = []
      for (let index = 0; index < 300; index++) {
        const [key, value] = [keyOf(index * 7 + number), valueOf(number, index)]
        expected.set(Buffer.from(key).toString(), Buffer.from(value).toString())
        writes.push(owner.put(key, value))
        if (index % 10 === 9) await Promise.all(writes.splice(0))
      }
      await assert.rejects(owner.put(keyOf(1), valueOf(0, 0), { durability: 'synced' }), (error) =>
        isCode(error, 'UNSUPPORTED'),
      )
      await owner.flush()
      // Its successor finds it open.
    }
    const statistics = owners.at(-1)?.statistics()
    assert.ok((statistics?.files ?? 0) > 0, 'memtables have become files')
    await owners.at(-1)?.compactRange()
    for (const owner of owners) await owner.close().catch((error: unknown) => assert.ok(fenced(error), String(error)))
    assert.equal(
      schedulers.reduce((sum, { localCount }) => sum + localCount, 0),
      0,
      'the worker has done every job',
    )
    for (const scheduler of schedulers) await scheduler.close()
    await worker.close()
    await inner.close()
  })
})
