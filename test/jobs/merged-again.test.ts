/** What honest workers elsewhere have merged is taken, however much of it is merged again. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import type { KvComponents } from '../../src/engines/kv/open-kv.ts'
import { KV_POLICIES } from '../../src/engines/kv/settings.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../../src/fs/memory-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { MemoryJournalSystem } from '../../src/journal/memory-journal.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { PoorJobScheduler } from '../../src/testing/poor-job-scheduler.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { TINY_SETTINGS } from '../simulation.ts'

const hash = await loadHash()
const clock = new SystemClock()
const SEEDS = 5
const KEYS = 60

/** Puts, deletions, deletions of ranges, snapshots that come and go. */
async function write(db: KvShard, random: SeededRandom, rounds: number): Promise<void> {
  const keyOf = (): Buffer => Buffer.from(`key ${String(random.below(KEYS)).padStart(2, '0')}`)
  const snapshots = []
  for (let round = 0; round < rounds; round++) {
    for (let left = 30; left > 0; left--) {
      const what = random.below(12)
      if (what < 8) await db.put(keyOf(), Buffer.alloc(random.below(random.once(20) ? 700 : 60), left))
      else if (what < 10) await db.delete(keyOf())
      else {
        const [gte, lt] = [keyOf(), keyOf()].sort((a, b) => a.compare(b)) as [Buffer, Buffer]
        await db.deleteRange({ gte, lt })
      }
      if (random.once(20)) snapshots.push(db.snapshot())
      if (random.once(25)) snapshots.splice(random.below(snapshots.length + 1), 1)[0]?.close()
    }
    await db.flush()
    if (random.once(6)) await db.compactRange()
  }
  await db.settle()
  for (const snapshot of snapshots) snapshot.close()
  await db.compactRange()
}

for (const policy of KV_POLICIES.filter((each) => each !== 'fifo'))
  test(`what honest workers elsewhere have merged is taken: ${policy}`, async () => {
    let compactions = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = new SeededRandom(seed)
      const [files, heads] = [new MemoryFileStore({ hash }), new MemoryHeadStore()]
      const made = (): InlineScheduler =>
        new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
      const localJobs = made()
      const jobs = new PoorJobScheduler({ inner: made(), clock, pendingMax: 100, delayTurns: 1 })
      const parts = { files, heads, journal: new MemoryJournalSystem(), jobs, localJobs, clock, random, hash }
      const settings = { ...TINY_SETTINGS, policy, jobSamples: 10_000, keyColumns: random.once(3) } as const
      const opened = (name: string): Promise<KvShard> =>
        openKv({ ...parts, shard: shardId(name) } satisfies KvComponents, { settings })
      const origin = await opened('main')
      await write(origin, random, 12)
      // Tables of which these see a part.
      await origin.split(Buffer.from('key 25'), 'left', 'right')
      const shards = [origin, await opened('left'), await opened('right')]
      for (const shard of shards.slice(1)) {
        await shard.put(Buffer.from(shard === shards[1] ? 'key 1' : 'key 7'), Buffer.from('one more'))
        await shard.compactRange()
        await shard.detach()
      }
      for (const shard of shards) {
        const { rejectedAnswers, jobFailures, compactions: done } = shard.statistics()
        assert.deepEqual([rejectedAnswers, jobFailures], [0, 0], `seed ${seed}`)
        compactions += done
        await shard.close()
      }
      for (const each of [jobs, localJobs]) await each.close()
    }
    assert.ok(compactions > SEEDS * 5, `${compactions} compactions`)
  })
