/** What a worker says of its tables is held against them, part by part; what is true is taken. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileReader } from '../../fs/fs.ts'
import { MemoryFileStore } from '../../fs/memory-file-store.ts'
import { MemoryHeadStore } from '../../fs/memory-head-store.ts'
import { HandlerTable } from '../../jobs/handler-table.ts'
import { InlineScheduler } from '../../jobs/inline-scheduler.ts'
import type { JobHandle, JobOutput, JobSpec } from '../../jobs/jobs.ts'
import { MemoryJournalSystem } from '../../journal/memory-journal.ts'
import { VarveError } from '../../kernel/errors.ts'
import { loadHash } from '../../kernel/hash.ts'
import { fileName, seqno, shardId } from '../../kernel/ids.ts'
import { cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import type { AnsweredJob } from '../../shard/shard.ts'
import { BlockCache } from '../../sst/block-cache.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import * as kvJobs from './jobs.ts'
import { decodeColumnMeta, encodeColumnMeta, isKeyColumn } from './key-columns.ts'
import { openKv } from './open-kv.ts'
import { decodeTableMeta, encodeTableMeta } from './table-meta.ts'
import type { TableMeta } from './table-meta.ts'
import { ToldTables } from './told-tables.ts'

const hash = await loadHash()
const bytes = (text: string): Uint8Array => Buffer.from(text)

class NotedJobs extends InlineScheduler {
  readonly answered: AnsweredJob[] = []

  override submit(spec: JobSpec): JobHandle {
    const handle = super.submit(spec)
    handle.result.then(
      (result) => this.answered.push({ ...result, spec }),
      () => undefined,
    )
    return handle
  }
}

/** Jobs that have made tables of entries, deletions and range deletions that reach further than these, with key columns. */
async function made(): Promise<{ readonly files: MemoryFileStore; readonly jobs: readonly AnsweredJob[] }> {
  const [clock, files] = [new SimulatedClock(), new MemoryFileStore({ hash })]
  const jobs = new NotedJobs({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  const parts = { shard: shardId('main'), files, heads: new MemoryHeadStore(), journal: new MemoryJournalSystem() }
  const settings = { keyColumns: true, policy: 'tiered', tierRuns: 16 } as const
  const db = await openKv({ ...parts, jobs, clock, random: new SeededRandom(1), hash }, { settings })
  for (const key of ['d', 'e', 'f', 'g']) await db.put(bytes(key), bytes('value'))
  await db.delete(bytes('e'))
  await db.deleteRange({ gte: bytes('a'), lt: bytes('c') })
  await db.deleteRange({ gte: bytes('x'), lt: bytes('z') })
  await db.flush()
  await db.deleteRange({ gte: bytes('b'), lt: bytes('y') })
  await db.flush()
  await db.put(bytes('k'), bytes('alone'))
  await db.flush()
  await db.close()
  return { files, jobs: jobs.answered }
}

const { files, jobs } = await made()
const told = new ToldTables(files, { order: BYTEWISE, hash, cache: new BlockCache({ cacheBytes: 1 << 20 }) })
const [first] = jobs

/** The first job, of one of whose outputs something else is said. */
function saying(which: 'table' | 'column', change: (output: JobOutput) => JobOutput): AnsweredJob {
  assert.ok(first !== undefined)
  const outputs = first.outputs.map((output) =>
    isKeyColumn(output.format) === (which === 'column') ? change(output) : output,
  )
  return { ...first, outputs }
}

function withMeta(change: Partial<TableMeta>): AnsweredJob {
  return saying('table', (output) => ({
    ...output,
    meta: encodeTableMeta({ ...decodeTableMeta(output.meta, 'test'), ...change }),
  }))
}

test('what workers say of tables that are as they say is taken, of range deletions alone, too', async () => {
  assert.equal(jobs.length, 3)
  assert.ok(jobs.every(({ outputs }) => outputs.some(({ format }) => isKeyColumn(format)) || outputs.length === 1))
  await told.check(jobs)
})

test('a table of which anything else is said than it has is refused, and the one that has it is not', async () => {
  const lies: Readonly<Record<string, AnsweredJob>> = {
    'the first key': withMeta({ keyFirst: bytes('dd') }),
    'the last key': withMeta({ keyLast: bytes('ff') }),
    entries: withMeta({ entryCount: 7 }),
    deletions: withMeta({ deleteCount: 0 }),
    'range deletions': withMeta({ rangeCount: 1 }),
    'where it begins': withMeta({ lower: cutBefore(bytes('b')) }),
    'where it ends': withMeta({ upper: cutAfter(bytes('zz')) }),
    'the oldest operation': saying('table', (output) => ({ ...output, seqnoFirst: seqno(output.seqnoFirst + 1) })),
    'the newest operation': saying('table', (output) => ({ ...output, seqnoLast: seqno(output.seqnoLast + 1) })),
    'the format': saying('table', (output) => ({ ...output, format: { name: 'row', version: 99 } })),
    'the file': saying('table', (output) => ({ ...output, ref: { ...output.ref, name: fileName('main.none.table') } })),
    'entries of the key column': saying('column', (output) => {
      const { table, entryCount } = decodeColumnMeta(output.meta, 'test')
      return { ...output, meta: encodeColumnMeta(table, entryCount + 1) }
    }),
  }
  for (const [what, job] of Object.entries(lies))
    await assert.rejects(told.check([job]), { code: 'JOB_REJECTED' }, what)
})

test('a table that cannot be reached now is not refused: nothing is known of it', async () => {
  class AwayFiles extends MemoryFileStore {
    override open(): Promise<FileReader> {
      return Promise.reject(new VarveError('IO_FAILED', 'as the test wants it'))
    }
  }
  const away = new ToldTables(new AwayFiles({ hash }), {
    order: BYTEWISE,
    hash,
    cache: new BlockCache({ cacheBytes: 1 << 20 }),
  })
  await assert.rejects(away.check(jobs), { code: 'IO_FAILED' })
})
