/** Calls that a shard is at work on when it is closed: nobody has aborted them. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../src/fs/memory-head-store.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from '../src/journal/memory-journal.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { shardId } from '../src/kernel/ids.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'
import { SimulatedClock } from '../src/testing/simulated-clock.ts'

const hash = await loadHash()

type Held = 'create' | 'compareAndSet'

/** A shard with two tables to merge, and a switch that holds what its stores are asked for. */
async function openHeld(): Promise<{
  readonly db: KvShard
  readonly clock: SimulatedClock
  readonly hold: (what: Held) => Promise<void>
}> {
  const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
  const [files, heads] = [new MemoryFileStore({ hash }), new MemoryHeadStore()]
  let held: { readonly what: Held; readonly tell: () => void } | undefined
  const gate = <Given extends unknown[], Result>(what: Held, call: (...given: Given) => Promise<Result>) => {
    return async (...given: Given): Promise<Result> => {
      if (held?.what !== what) return call(...given)
      held.tell()
      return new Promise<never>(() => {})
    }
  }
  files.create = gate('create', files.create.bind(files))
  heads.compareAndSet = gate('compareAndSet', heads.compareAndSet.bind(heads))
  const journal = new MemoryJournalSystem({ storage: new MemoryJournalStorage() })
  const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  const parts = { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash }
  const db = await openKv(parts, { settings: { closeMs: 1_000 } })
  for (let file = 0; file < 2; file++) {
    await db.put(Buffer.from('key'), Buffer.from(`value ${file}`))
    await db.flush()
  }
  return { db, clock, hold: (what) => new Promise((tell) => (held = { what, tell })) }
}

// They were ABORTED, which is for those whose own signal was.
for (const [name, what, call] of [
  ['a compaction', 'create', (db: KvShard) => db.compactRange({})],
  ['a compaction', 'compareAndSet', (db: KvShard) => db.compactRange({})],
  ['a flush', 'compareAndSet', (db: KvShard) => db.flush()],
] as const)
  test(`${name} that waits for ${what} of a store when its shard is closed is CLOSED`, async () => {
    const { db, clock, hold } = await openHeld()
    const isHeld = hold(what)
    if (name === 'a flush') await db.put(Buffer.from('more'), Buffer.from('!'))
    const waits = assert.rejects(call(db), { code: 'CLOSED' })
    await isHeld
    const closing = db.close()
    let over = false
    void closing.finally(() => (over = true))
    for (; !over; clock.advance(100)) await clock.turn()
    await waits
    await closing
  })
