/**
 * Fills the tablespace at the path given, a small file system, with the journals of three shards that know nothing of each
 * other, as those of three processes; ends with 0 when all of them have gone on by themselves, and nothing was lost.
 */

import { setTimeout as delay } from 'node:timers/promises'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { PostgresHeadStore } from '../../src/fs/postgres/postgres-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { PostgresJournalSystem } from '../../src/journal/postgres/postgres-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { KIB } from '../../src/kernel/limits.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { WritesWhileFull } from '../writes-while-full.ts'
import { clock } from './postgres-place.ts'
import { startInTablespace } from './small-tablespace.ts'

// 40 MiB of each, of values alone.
const PUTS = 10_000
const PAUSE_MS = 20
// Ten minutes of refusals.
const TRIES_MAX = PUTS + 30_000
const [, , path = ''] = process.argv
const [hash, random] = [await loadHash(), new SystemRandom()]
const place = await startInTablespace(path)
const schema = place.schema()

async function fill(name: string): Promise<void> {
  const files = new MemoryFileStore({ hash })
  const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  const database = place.database(schema)
  const journal = await PostgresJournalSystem.connect({ database, hash, random })
  const heads = await PostgresHeadStore.open({ database, hash, random })
  const open = (): Promise<KvShard> =>
    openKv({ shard: shardId(name), files, heads, journal, jobs, clock, random, hash })
  let db = await open()
  const writes = new WritesWhileFull(Buffer.alloc(4 * KIB, name), TRIES_MAX, () => delay(PAUSE_MS))
  await writes.until(PUTS, db)
  await writes.compare(db)
  await db.close()
  db = await open()
  await writes.compare(db)
  await db.close()
  await jobs.close()
  process.stdout.write(`shard ${name}: ${writes.refused} refused\n`)
}

try {
  await Promise.all(['a', 'b', 'c'].map(fill))
  process.stdout.write('3 shards\n')
} finally {
  await place.stop()
}
