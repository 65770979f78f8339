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
import { TINY_SETTINGS } from './simulation.ts'

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
  await Promise.all([first.close().catch(() => undefined), second.close()])
})
