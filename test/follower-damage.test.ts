/** What a follower says of damage that it finds while the owner goes on. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followKv } from '../src/engines/kv/follow-kv.ts'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../src/fs/memory-head-store.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { journalCorrupt } from '../src/journal/journal-corrupt.ts'
import { MemoryJournalSystem } from '../src/journal/memory-journal.ts'
import type { JournalReader, JournalSystem } from '../src/journal/journal.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { shardId } from '../src/kernel/ids.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'
import { SimulatedClock } from '../src/testing/simulated-clock.ts'

const hash = await loadHash()
const KEY = Buffer.from('key')
const TRIES_MAX = 4

// A follower was told of damage that passed, and tried again under the same head; when the owner had flushed before it was
// done, the journal that began later was damage, too, and that it said.
test('what has been truncated since a follower read the head is no damage, whatever it had found before', async () => {
  const [clock, random, files, heads] = [
    new SimulatedClock(),
    new SeededRandom(1),
    new MemoryFileStore({ hash }),
    new MemoryHeadStore(),
  ]
  const journal = new MemoryJournalSystem()
  const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  const parts = { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash }
  const owner = await openKv(parts)
  for (const damaged of [0, 1]) {
    let tries = 0
    const openReadOnly = async (...of: Parameters<JournalSystem['openReadOnly']>): Promise<JournalReader> => {
      if (tries++ < damaged) throw journalCorrupt('journal', 7, 'a stranger')
      if (tries < TRIES_MAX) {
        await owner.put(KEY, Buffer.from(`${tries}`))
        await owner.flush()
      }
      return journal.openReadOnly(of[0])
    }
    const { name, version, supports } = journal
    const seen: JournalSystem = { name, version, supports, open: journal.open.bind(journal), openReadOnly }
    const following = followKv({ ...parts, journal: seen })
    if (damaged > 0) {
      await assert.rejects(following, { code: 'JOURNAL_CORRUPT', message: /a stranger/ })
      continue
    }
    const follower = await following
    assert.equal(String(await follower.db.get(KEY)), `${TRIES_MAX - 1}`)
    await follower.close()
  }
  await owner.close()
  await jobs.close()
})
