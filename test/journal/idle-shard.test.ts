/** A shard whose journal service has let go of it, because it was away, or was started anew. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../../src/fs/memory-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { JournalPlace, localJournals } from './journal-place.ts'

const hash = await loadHash()
const AWAY_MS = 600_001
const KEY = Buffer.from('key')

// It took no more writes, and had to be opened anew.
for (const [what, leave] of [
  ['was cut off for longer than its service waits', false],
  ['was idle when its service was started anew', true],
] as const)
  test(`a shard that ${what} writes, reads fresh and flushes on, and loses nothing`, async () => {
    const place = new JournalPlace(localJournals())
    const { clock } = place
    const [files, heads] = [new MemoryFileStore({ hash }), new MemoryHeadStore()]
    const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
    const open = async (): Promise<KvShard> => {
      const journal = await place.system()
      return openKv({ shard: shardId('main'), files, heads, journal, jobs, clock, random: new SeededRandom(2), hash })
    }
    const away = async (): Promise<void> => {
      if (leave) return place.restart()
      await place.cut()
      clock.advance(AWAY_MS)
      await clock.turn()
    }
    const first = await open()
    await first.put(Buffer.from('flushed'), Buffer.from('1'))
    await first.flush()
    await first.put(KEY, Buffer.from('1'))
    await away()
    await first.put(KEY, Buffer.from('2'), { durability: 'synced' })
    await away()
    assert.equal(String(await first.get(KEY, { fresh: true })), '2')
    await away()
    await first.put(Buffer.from('more'), Buffer.from('3'))
    await first.flush()
    await first.put(KEY, Buffer.from('4'))
    await away()
    const second = await open()
    for (const [key, value] of Object.entries({ flushed: '1', key: '4', more: '3' }))
      assert.equal(String(await second.get(Buffer.from(key))), value)
    await assert.rejects(first.put(KEY, Buffer.from('never')), { code: 'FENCED' })
    assert.equal(String(await second.get(KEY, { fresh: true })), '4')
    await first.close()
    await second.close()
    await place.dispose()
  })
