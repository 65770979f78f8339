/** A shard whose stream of the journal is full long before its memtable is: it flushes, purges the stream, and writes again. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { NatsHeadStore } from '../../src/fs/nats/nats-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { NatsJournalSystem } from '../../src/journal/nats/nats-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { POSITION_ZERO, epoch, journalPosition, shardId } from '../../src/kernel/ids.ts'
import { KIB, MIB } from '../../src/kernel/limits.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { WritesWhileFull } from '../writes-while-full.ts'
import { NatsPlace, clock, random, skipWithoutNats } from './nats-place.ts'

const hash = await loadHash()
const STREAM_BYTES = 2 * MIB
const VALUE = Buffer.alloc(4 * KIB, 'v')
const ROUNDS = 6
const TRIES_MAX = 100_000

describe('a full stream', skipWithoutNats, () => {
  let place: NatsPlace
  before(async () => {
    place = await NatsPlace.start(1)
  })
  after(() => place.stop())

  /** As `nats stream edit --max-bytes`. */
  async function limit(stream: string, maxBytes: number): Promise<void> {
    const connection = await connect({ servers: [...place.servers.addresses] })
    const ask = async (
      what: string,
      request?: object,
    ): Promise<{ readonly config: object; readonly error?: unknown }> =>
      (await connection.request(`$JS.API.STREAM.${what}.${stream}`, JSON.stringify(request ?? {}))).json()
    const { config } = await ask('INFO')
    const { error } = await ask('UPDATE', { ...config, max_bytes: maxBytes })
    assert.equal(error, undefined)
    await connection.close()
  }

  for (const [how, writers] of [
    ['one write after the other', 1],
    ['many at a time', 16],
  ] as const) {
    test(`writes go on by themselves, and nothing is lost or comes back: ${how}`, async () => {
      const files = new MemoryFileStore({ hash })
      const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
      const prefix = `full-${writers}`
      const open = async (): Promise<KvShard> => {
        const options = { streams: await place.streams(), hash, clock, random, settings: { prefix } }
        const [heads, journal] = [new NatsHeadStore(options), new NatsJournalSystem(options)]
        return openKv({ shard: shardId('main'), files, heads, journal, jobs, clock, random, hash })
      }
      let db = await open()
      await limit(`${prefix}-journal-main`, STREAM_BYTES)
      const pause = (): Promise<void> => new Promise((resolve) => clock.after(10, resolve, { keepAlive: true }))
      const writes = new WritesWhileFull(VALUE, TRIES_MAX, pause)
      for (let round = 1; round <= ROUNDS; round++) {
        const refusedBefore = writes.refused
        // As much as the stream takes, and half as much again.
        const until = writes.written.size + Math.ceil((1.5 * STREAM_BYTES) / VALUE.length)
        await Promise.all(Array.from({ length: writers }, () => writes.until(until, db)))
        assert.ok(writes.refused > refusedBefore, `the stream was never full in round ${round}`)
        if (round % 2 === 0) {
          await db.close()
          db = await open()
        }
        await writes.compare(db)
      }
      await db.close()
      await jobs.close()
    })
  }

  test('a stream without room for a new owner says what to do, and is opened and read once that is done', async () => {
    const options = { streams: await place.streams(), hash, clock, random, settings: { prefix: 'owners' } }
    const system = new NatsJournalSystem(options)
    const [shard, keeper] = [shardId('main'), new MemoryStateKeeper()]
    const former = await system.open(shard, epoch(1), keeper)
    await former.append(VALUE, 'written').written
    await limit('owners-journal-main', 6 * KIB)
    await assert.rejects(former.append(VALUE, 'written').written, { code: 'NO_SPACE', message: /takes nothing more/ })
    // Small ones fit, until none does.
    for (let fits = true; fits;)
      fits = await former.append(VALUE.subarray(0, 1), 'written').written.then(
        () => true,
        () => false,
      )
    const next = system.open(shard, epoch(2), keeper)
    await assert.rejects(next, { code: 'NO_SPACE', message: /owners-journal-main has no room .* raise its max_bytes/ })
    await limit('owners-journal-main', 7 * KIB)
    const journal = await system.open(shard, epoch(2), keeper)
    let bytes = 0
    const end = await journal.replay(POSITION_ZERO, (payload) => void (bytes += payload.length))
    assert.deepEqual([bytes, end], [former.end, former.end])
    await assert.rejects(former.append(VALUE.subarray(0, 1), 'written').written, { code: 'FENCED' })
    await journal.truncate(end)
    await journal.append(VALUE, 'written').written
  })

  test('a stream that is full of what files have taken the place of is opened by another owner', async () => {
    const options = { streams: await place.streams(), hash, clock, random, settings: { prefix: 'flushed' } }
    const system = new NatsJournalSystem(options)
    const [shard, keeper] = [shardId('main'), new MemoryStateKeeper()]
    const former = await system.open(shard, epoch(1), keeper)
    await limit('flushed-journal-main', 16 * KIB)
    // Large ones while they fit, then small ones.
    for (const value of [VALUE, VALUE.subarray(0, 1)]) {
      for (let fits = true; fits;)
        fits = await former.append(value, 'written').written.then(
          () => true,
          () => false,
        )
    }
    await assert.rejects(system.open(shard, epoch(2), keeper), { code: 'NO_SPACE' })
    const needed = journalPosition(2 * VALUE.length)
    const journal = await system.open(shard, epoch(2), keeper, needed)
    let bytes = 0
    await journal.replay(needed, (payload) => void (bytes += payload.length))
    assert.deepEqual([bytes, journal.end], [former.end - needed, former.end])
    await assert.rejects(former.append(VALUE.subarray(0, 1), 'written').written, { code: 'FENCED' })
    await journal.append(VALUE, 'written').written
  })
})
