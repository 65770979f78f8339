/** A snapshot of an engine whose memtables have no versions, where what it waits for is never written. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../../src/kernel/hash.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../../src/fs/memory-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import type { Append, Journal } from '../../src/journal/journal.ts'
import { MemoryJournalSystem } from '../../src/journal/memory-journal.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { PageViews } from '../../examples/custom-engine/page-views.ts'
import * as handlers from '../../examples/custom-engine/jobs.ts'

const LOST = new VarveError('OUTCOME_UNKNOWN', 'planted')

/** Its journals answer no append while `broken`. */
class BreakingJournals extends MemoryJournalSystem {
  broken = false

  override async open(...given: Parameters<MemoryJournalSystem['open']>): Promise<Journal> {
    const append = (end: Append['end']): Append => ({ end, written: Promise.reject(LOST), synced: undefined })
    return new Proxy(await super.open(...given), {
      get: (journal, name) => {
        const value: unknown = Reflect.get(journal, name, journal)
        if (typeof value !== 'function') return value
        if (name === 'append' && this.broken) return () => append(journal.end)
        return (value as (...all: unknown[]) => unknown).bind(journal)
      },
    })
  }
}

test('a snapshot whose writes have failed is refused as they are, and holds no view', async () => {
  const hash = await loadHash()
  const [clock, random] = [new SystemClock(), new SystemRandom()]
  const files = new MemoryFileStore({ hash })
  const journal = new BreakingJournals()
  const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'page-views': handlers }) })
  const shard = shardId('views')
  const views = await PageViews.open({ shard, files, heads: new MemoryHeadStore(), journal, jobs, clock, random, hash })

  await views.add(1, 1)
  const kept = await views.shard.freeze()
  assert.equal(views.shard.statistics().pinnedViews, 1)
  journal.broken = true
  const [written, frozen] = await Promise.allSettled([views.add(2, 1), views.shard.freeze()])
  assert.equal(written.status, 'rejected')
  assert.equal(frozen.status === 'rejected' && (frozen.reason as VarveError).code, 'POISONED')
  assert.equal(views.shard.statistics().pinnedViews, 1)
  // What was frozen before is what it was.
  assert.equal(await views.count(1, 1, kept), 1)
  views.shard.unpin(kept)
  assert.equal(views.shard.statistics().pinnedViews, 0)
  await views.shard.close().catch(() => undefined)
  await jobs.close()
})
