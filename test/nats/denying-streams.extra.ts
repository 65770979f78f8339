/** Streams that somebody has made beforehand, so that nothing can be removed from them, on a real server. */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { connect } from '@nats-io/transport-node'
import { NatsHeadStore } from '../../src/fs/nats/nats-head-store.ts'
import { NatsJournalSystem } from '../../src/journal/nats/nats-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { epoch, shardId } from '../../src/kernel/ids.ts'
import { MemoryStateKeeper } from '../../src/testing/memory-state-keeper.ts'
import { NatsPlace, clock, random, skipWithoutNats } from './nats-place.ts'

const hash = await loadHash()
const SHARD = shardId('main')

describe('streams that somebody has made', skipWithoutNats, () => {
  let place: NatsPlace
  before(async () => {
    place = await NatsPlace.start(1)
  })
  after(() => place.stop())

  /** As `nats stream add`. */
  async function make(prefix: string, kind: string, options: object): Promise<void> {
    const connection = await connect({ servers: [...place.servers.addresses] })
    const name = `${prefix}-${kind}-${SHARD}`
    const basis = { name, subjects: [`${prefix}.${kind}.${SHARD}`], retention: 'limits', storage: 'file' }
    const request = JSON.stringify({ ...basis, num_replicas: 1, discard: 'new', max_msgs: -1, ...options })
    const { error }: { readonly error?: unknown } = (
      await connection.request(`$JS.API.STREAM.CREATE.${name}`, request)
    ).json()
    assert.equal(error, undefined)
    await connection.close()
  }

  for (const [setting, options] of [
    ['deny_purge', { deny_purge: true }],
    ['max_msgs_per_subject', { max_msgs_per_subject: 1 }],
    ['no_ack', { no_ack: true }],
  ] as const) {
    test(`a journal and a head in streams with ${setting} are INCOMPATIBLE, and say so at once`, async () => {
      const prefix = `made-${setting}`
      await make(prefix, 'journal', options)
      await make(prefix, 'head', options)
      const parts = { streams: await place.streams(), hash, clock, random, settings: { prefix } }
      const expected = { code: 'INCOMPATIBLE', message: new RegExp(`main has ${setting} `) }
      await assert.rejects(new NatsJournalSystem(parts).open(SHARD, epoch(1), new MemoryStateKeeper()), expected)
      await assert.rejects(new NatsHeadStore(parts).compareAndSet(SHARD, undefined, new Uint8Array(1)), expected)
    })
  }

  test('one server lets go of messages in a stream that denies to delete single ones', async () => {
    await make('single', 'journal', { deny_delete: true, max_bytes: 1_000_000 })
    const parts = { streams: await place.streams(), hash, clock, random, settings: { prefix: 'single' } }
    const journal = await new NatsJournalSystem(parts).open(SHARD, epoch(1), new MemoryStateKeeper())
    for (let count = 0; count < 3; count++) await journal.append(new Uint8Array(100), 'written').written
    await journal.truncate(journal.end)
    assert.equal((await parts.streams.state('single-journal-main'))?.messages, 1)
    await journal.close()
  })
})
