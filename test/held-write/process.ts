/** A program that awaits a write which is held back, while the flush that it waits for has failed and will be retried. */

import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { LocalFileStore } from '../../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../../src/fs/local-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { failure } from '../../src/testing/simulated-failure.ts'

const hash = await loadHash()
const [clock, random] = [new SystemClock(), new SeededRandom(1)]
let failuresLeft = 3
// Simulated: nothing but a timer is ever under way.
const device = new SimulatedDevice({
  before: ({ operation, path }) => {
    if (operation === 'open' && path.endsWith('.UNFINISHED') && failuresLeft-- > 0)
      throw failure('IO_FAILED', operation, path)
  },
})
const files = await LocalFileStore.open({ device, directory: 'files', hash })
const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
const journal = new LocalJournalSystem({ device, directory: 'journal', hash, random })
const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
const db = await openKv(
  { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash },
  { settings: { memtableBytes: 2048, frozenMax: 1, retryDelayMs: 20 } },
)
let last = Promise.resolve()
for (let index = 0; index < 40; index++) {
  last = db.put(Buffer.from(`key ${index}`), Buffer.alloc(200))
  await Promise.resolve()
}
if (db.statistics().queuedBytes === 0) throw new Error('no write is held back')
await last
process.stdout.write('written\n')
// Not closed: that nobody waits any more is enough for the process to end.
