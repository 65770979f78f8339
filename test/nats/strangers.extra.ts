/** Programs that publish under the subjects of journals, on a real server. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { NatsHeadStore } from '../../src/fs/nats/nats-head-store.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { NatsJournalSystem } from '../../src/journal/nats/nats-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { POSITION_ZERO, epoch, shardId } from '../../src/kernel/ids.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { NatsPlace, clock, random, skipWithoutNats } from './nats-place.ts'

const hash = await loadHash()
const SHARD = shardId('main')
const APPENDS = 400
const KEY = Buffer.from('key')

describe('strangers in the stream of a journal', skipWithoutNats, () => {
  let place: NatsPlace
  before(async () => {
    place = await NatsPlace.start(1)
  })
  after(() => place.stop())

  test('an owner goes on, and behind an owner that has gone they are named, and passed over when that is asked for', async () => {
    const connection = await connect({ servers: [...place.servers.addresses] })
    const options = { streams: await place.streams(), hash, clock, random, settings: { prefix: 'public' } }
    const [system, keeper] = [new NatsJournalSystem(options), new MemoryStateKeeper()]
    const journal = await system.open(SHARD, epoch(1), keeper)
    const subject = 'public.journal.main'
    const values = Array.from({ length: APPENDS }, (_, index) => Buffer.from(`value ${index}`))
    const appends = values.map((value, index) => {
      if (index % 40 === 0) connection.publish(subject, 'temperature: 21')
      return journal.append(value, 'written').written
    })
    await Promise.all(appends)
    await connection.request(subject, 'and one behind them')
    const next = system.open(SHARD, epoch(2), keeper)
    await assert.rejects(next, { code: 'JOURNAL_CORRUPT', message: /passOver of NatsJournalSystem/ })
    const strangers = await system.strangers(SHARD)
    assert.deepEqual(
      strangers.map(({ data }) => Buffer.from(data).toString()),
      ['and one behind them'],
    )
    await system.passOver(SHARD, strangers)
    const opened = await system.open(SHARD, epoch(2), keeper)
    const found: string[] = []
    await opened.replay(POSITION_ZERO, (payload) => void found.push(Buffer.from(payload).toString()))
    assert.deepEqual(found, values.map(String))
    await opened.truncate(opened.end)
    await opened.append(values[0] as Uint8Array, 'written').written
    await assert.rejects(journal.append(values[0] as Uint8Array, 'written').written, { code: 'FENCED' })
    await connection.close()
  })

  test('a shard that is open goes on where a stranger in the stream of its head is passed over', async () => {
    const connection = await connect({ servers: [...place.servers.addresses] })
    const files = new MemoryFileStore({ hash })
    const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
    const options = { streams: await place.streams(), hash, clock, random, settings: { prefix: 'shown' } }
    const [heads, journal] = [new NatsHeadStore(options), new NatsJournalSystem(options)]
    const parts = { shard: SHARD, files, heads, journal, jobs, clock, random, hash }
    const db = await openKv(parts)
    await db.put(KEY, Buffer.from('1'))
    await connection.request('shown.head.main', 'temperature: 21')
    await assert.rejects(openKv(parts), { code: 'HEAD_CORRUPT', message: /passOver of NatsHeadStore/ })
    await heads.passOver(SHARD, await heads.strangers(SHARD))
    await db.put(KEY, Buffer.from('2'))
    await db.flush()
    await db.close()
    const again = await openKv(parts)
    assert.equal(String(await again.get(KEY)), '2')
    await again.close()
    await jobs.close()
    await connection.close()
  })
})
