/** What an owner does once another has taken its shard, though all of its parts go on working for it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../src/fs/memory-head-store.ts'
import { TracedFileStore } from '../src/fs/traced-stores.ts'
import type { TraceEvent } from '../src/fs/traced-stores.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from '../src/journal/memory-journal.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { shardId } from '../src/kernel/ids.ts'
import { SystemClock } from '../src/system-clock.ts'
import { SystemRandom } from '../src/system-random.ts'
import { failure } from '../src/testing/simulated-failure.ts'
import { Simulation, TINY_SETTINGS } from './simulation.ts'

// Its flush was refused for good, began again at once, wrote its files anew, and so on for as long as the process lived.
test('an owner that was replaced while it flushed writes no more files', async () => {
  const [hash, clock, random] = [await loadHash(), new SystemClock(), new SystemRandom()]
  const [store, heads, storage] = [new MemoryFileStore({ hash }), new MemoryHeadStore(), new MemoryJournalStorage()]
  let created = 0
  const componentsOf = (traced: boolean): KvComponents => {
    const sink = ({ operation }: TraceEvent): void => void (created += operation === 'create' ? 1 : 0)
    const files = traced ? new TracedFileStore(store, { clock, sink }) : store
    const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
    const jobs = new InlineScheduler({ files, hash, clock, handlers })
    const journal = new MemoryJournalSystem({ storage })
    return { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash }
  }
  const first = await openKv(componentsOf(true), { settings: TINY_SETTINGS })
  const writes = Array.from({ length: 400 }, (_, index) =>
    first.put(Buffer.from(`key ${index}`), Buffer.alloc(50)).catch((error: unknown) => error),
  )
  const second = await openKv(componentsOf(false), { settings: TINY_SETTINGS })
  await Promise.all(writes)
  await assert.rejects(first.flush(), { code: 'FENCED' })
  const before = created
  for (let turn = 0; turn < 300; turn++) await clock.turn()
  assert.ok(before > 0 && created <= before + 1, `${created - before} more files were begun`)
  await Promise.all([first.close(), second.close()])
})

test('an owner that was replaced closes without an error, whether it has heard of it or not', async () => {
  for (const hears of [true, false]) {
    const simulation = await Simulation.start(1, TINY_SETTINGS)
    const first = simulation.db
    await first.put(Buffer.from('key'), Buffer.from('value'))
    simulation.cleansUp = false
    await simulation.open()
    const fenced = hears ? [first.put(Buffer.from('key'), Buffer.from('lost')), first.flush()] : []
    for (const call of fenced) await assert.rejects(call, { code: 'FENCED' })
    await first.close()
    const found = await simulation.db.get(Buffer.from('key'))
    assert.equal(Buffer.from(found ?? []).toString(), 'value')
    await simulation.stop()
  }
})

test('closing says where what was written last may not be stored, and lets go all the same', async () => {
  const simulation = await Simulation.start(1, TINY_SETTINGS)
  await simulation.db.put(Buffer.from('key'), Buffer.from('value'))
  simulation.beforeOperation = ({ operation, path }) => {
    if (operation === 'sync') throw failure('IO_FAILED', operation, path)
  }
  await assert.rejects(simulation.db.close(), { code: 'OUTCOME_UNKNOWN' })
  await assert.rejects(simulation.db.put(Buffer.from('key'), Buffer.from('late')), { code: 'CLOSED' })
})
