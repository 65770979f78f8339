/** A journal elsewhere that is full before a memtable is: nobody would flush, and nothing would ever go from it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../src/fs/memory-head-store.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { LocalJournalSystem } from '../src/journal/local-journal-system.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { shardId } from '../src/kernel/ids.ts'
import { KIB } from '../src/kernel/limits.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'
import { SimulatedClock } from '../src/testing/simulated-clock.ts'
import { SimulatedDevice } from '../src/testing/simulated-device.ts'
import { WritesWhileFull } from './writes-while-full.ts'

const [hash, random, clock] = [await loadHash(), new SeededRandom(1), new SimulatedClock()]
const VALUE = Buffer.alloc(1 * KIB, 'v')

for (const [how, writers] of [
  ['one write after the other', 1],
  ['many at a time', 16],
] as const) {
  test(`a shard whose journal has no space left flushes, and writes go on by themselves: ${how}`, async () => {
    const device = new SimulatedDevice({ capacityBytes: 256 * KIB, record: false })
    const parts = { files: new MemoryFileStore({ hash }), heads: new MemoryHeadStore() }
    const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
    const jobs = new InlineScheduler({ files: parts.files, hash, clock, handlers })
    const settings = { segmentBytes: 16 * KIB, preallocateBytes: 0 }
    const journal = new LocalJournalSystem({ device, directory: 'journal', hash, random, settings })
    const db = await openKv({ ...parts, shard: shardId('main'), journal, jobs, clock, random, hash })
    const writes = new WritesWhileFull(VALUE, 6_000, () => {
      clock.advance(10)
      return clock.turn()
    })
    await Promise.all(Array.from({ length: writers }, () => writes.until(1000, db)))
    assert.ok(writes.refused > 0)
    await writes.compare(db)
    await db.close()
    await jobs.close()
  })
}
