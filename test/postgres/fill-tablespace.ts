/**
 * Fills the tablespace at the path given, a small file system, with the journal of a shard whose memtable is larger; ends
 * with 0 when writes have gone on by themselves, each time, and nothing was lost.
 */

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { PostgresHeadStore } from '../../src/fs/postgres/postgres-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { PostgresJournalSystem } from '../../src/journal/postgres/postgres-journal-system.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { KIB } from '../../src/kernel/limits.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { clock } from './postgres-place.ts'
import { startInTablespace } from './small-tablespace.ts'

const ROUNDS = 2
// 36 MiB, of values alone.
const PUTS = 9_000
const PATIENCE_MS = 120_000
const VALUE = Buffer.alloc(4 * KIB, 'v')
const [, , path = ''] = process.argv
const [hash, random] = [await loadHash(), new SystemRandom()]
const files = new MemoryFileStore({ hash })
const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
const written = new Set<number>()
let next = 0

async function put(db: KvShard): Promise<boolean> {
  const index = next++
  try {
    await db.put(Buffer.from(`key ${String(index).padStart(9, '0')}`), VALUE)
    written.add(index)
    return true
  } catch (error) {
    if (!isCode(error, 'NO_SPACE')) throw error
    return false
  }
}

async function check(db: KvShard): Promise<void> {
  const found: number[] = []
  for await (const { key } of db.scan({ values: false })) found.push(Number(Buffer.from(key).toString().slice(4)))
  assert.deepEqual(
    found,
    [...written].sort((a, b) => a - b),
  )
}

const place = await startInTablespace(path)
try {
  const database = place.database(place.schema())
  const journal = await PostgresJournalSystem.connect({ database, hash, random })
  const heads = await PostgresHeadStore.open({ database, hash, random })
  /** A head needs room, too. */
  const open = async (): Promise<KvShard> => {
    for (const begin = performance.now(); ; await delay(50))
      try {
        return await openKv({ shard: shardId('main'), files, heads, journal, jobs, clock, random, hash })
      } catch (error) {
        if (!isCode(error, 'NO_SPACE') || performance.now() - begin > PATIENCE_MS) throw error
      }
  }
  let db = await open()
  for (let round = 0; round < ROUNDS; round++) {
    // As much as there is room for, and more than that again, however often it has to wait.
    let [refused, longestMs] = [0, 0]
    let since = performance.now()
    for (const until = written.size + PUTS; written.size < until;) {
      if (await put(db)) {
        since = performance.now()
        continue
      }
      refused++
      // Whoever opens a shard that is full reads it, and goes on.
      if (round % 2 === 1 && refused === 1) {
        const former = db
        db = await open()
        await assert.rejects(former.put(VALUE, VALUE), (error) => isCode(error, 'FENCED', 'POISONED', 'CLOSED'))
        await former.close().catch((error: unknown) => assert.ok(isCode(error, 'FENCED', 'POISONED', 'CLOSED')))
        await check(db)
      }
      await delay(50)
      longestMs = Math.max(longestMs, performance.now() - since)
      assert.ok(longestMs < PATIENCE_MS, 'the tablespace was full for two minutes')
    }
    assert.ok(refused > 0, 'the tablespace was never full')
    process.stdout.write(`round ${round}: ${refused} refused, the longest for ${Math.round(longestMs)} ms\n`)
    await check(db)
  }
  await db.close()
  db = await open()
  await check(db)
  await db.close()
  await jobs.close()
  process.stdout.write(`${ROUNDS} rounds\n`)
} finally {
  await place.stop()
}
