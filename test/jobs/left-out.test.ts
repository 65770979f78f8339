// A worker elsewhere that had merged something else than it was told, and said what agreed with that, was believed.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { MergeParameters } from '../../src/engines/kv/job-parameters.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import type { KvSnapshot } from '../../src/engines/kv/kv.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { decodeTableMeta, encodeTableMeta } from '../../src/engines/kv/table-meta.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../../src/fs/memory-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import type { JobHandle, JobResult, JobScheduler, JobSpec } from '../../src/jobs/jobs.ts'
import { MemoryJournalSystem } from '../../src/journal/memory-journal.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { cutAfter, cutBefore } from '../../src/kernel/key-cut.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'

const hash = await loadHash()
const clock = new SystemClock()
const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
const KEYS = 300
const keyOf = (index: number): Buffer => Buffer.from(`key ${String(index).padStart(4, '0')}`)

/** What it merges in place of what it was told. */
type Change = (spec: JobSpec, parameters: MergeParameters) => Partial<JobSpec>

function withParameters(spec: JobSpec, change: Partial<MergeParameters>): Partial<JobSpec> {
  return { parameters: { ...(spec.parameters as MergeParameters), ...change } }
}

const CHANGES: Readonly<Record<string, Change>> = {
  everything: (spec) => withParameters(spec, { runs: [[]] }),
  'the oldest run': (spec, { runs }) => withParameters(spec, { runs: runs.slice(0, -1) }),
  'the newest run': (spec, { runs }) => withParameters(spec, { runs: runs.slice(1) }),
  'the second half of its keys': (spec) => withParameters(spec, { upper: { key: keyOf(KEYS / 2), side: -1 } }),
  'deletions that hide something deeper': (spec) => withParameters(spec, { bottom: true }),
  'what a snapshot reads': () => ({ pinnedSeqnos: [] }),
}

/** As if no input had any. */
function withoutRangeDeletions({ inputs }: JobSpec): Partial<JobSpec> {
  return {
    inputs: inputs.map((input) => {
      if (input.type !== 'file') return input
      const meta = decodeTableMeta(input.meta, 'input')
      const [lower, upper] = [cutBefore(meta.keyFirst), cutAfter(meta.keyLast)]
      return { ...input, meta: encodeTableMeta({ ...meta, lower, upper, rangeCount: 0, covers: [] }) }
    }),
  }
}

/** A worker that is elsewhere. */
class WrongWorker implements JobScheduler {
  readonly name = 'wrong'
  readonly supports = { sharedMemory: false }
  change: Change | undefined
  readonly #inner: InlineScheduler

  constructor(inner: InlineScheduler) {
    this.#inner = inner
  }

  submit(spec: JobSpec): JobHandle {
    const { change } = this
    if (change === undefined) return this.#inner.submit(spec)
    const handle = this.#inner.submit({ ...spec, ...change(spec, spec.parameters as MergeParameters) })
    const result = handle.result.then((answer) => agreeing(spec, answer))
    result.catch(() => undefined)
    return { id: handle.id, result, progress: () => handle.progress(), cancel: (reason) => handle.cancel(reason) }
  }

  get pending(): number {
    return this.#inner.pending
  }

  get pendingMax(): number {
    return this.#inner.pendingMax
  }

  ready(): Promise<void> {
    return this.#inner.ready()
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

/** As if everything had been read. */
function agreeing(spec: JobSpec, { outputs }: JobResult): JobResult {
  let entriesRead = 0
  for (const input of spec.inputs)
    if (input.type === 'file') entriesRead += decodeTableMeta(input.meta, 'input').entryCount
  let written = 0
  for (const { meta } of outputs) written += decodeTableMeta(meta, 'output').entryCount
  return { outputs, statistics: { entriesRead, entriesDropped: entriesRead - written } }
}

interface Started {
  readonly db: KvShard
  readonly worker: WrongWorker
  readonly close: () => Promise<void>
}

/** What was compacted lies below what comes next. */
async function start(jobSamples: number): Promise<Started> {
  const files = new MemoryFileStore({ hash })
  const localJobs = new InlineScheduler({ files, hash, clock, handlers })
  const worker = new WrongWorker(new InlineScheduler({ files, hash, clock, handlers }))
  const stores = { shard: shardId('main'), files, heads: new MemoryHeadStore(), journal: new MemoryJournalSystem() }
  const parts = { ...stores, jobs: worker, localJobs, clock, random: new SeededRandom(7), hash }
  const settings = { policy: 'tiered', level0Files: 3, tableBytes: 4096, blockBytes: 512, jobSamples } as const
  const db = await openKv(parts, { settings })
  for (let index = 0; index < KEYS; index++) await db.put(keyOf(index), Buffer.from(`first ${index}`.padEnd(40)))
  await db.compactRange()
  return {
    db,
    worker,
    close: async () => {
      for (const each of [db, worker, localJobs]) await each.close()
    },
  }
}

/** One more file: every third key again, one in seven deleted, a few ranges deleted. */
async function writeRun(db: KvShard, run: number, values: Map<string, string>): Promise<void> {
  for (let index = run; index < KEYS; index += 3) {
    const [key, value] = [keyOf(index), `${run} of ${index}`.padEnd(40)]
    await db.put(key, Buffer.from(value))
    values.set(String(key), value)
  }
  for (let index = run; index < KEYS; index += 7) {
    await db.delete(keyOf(index))
    values.delete(String(keyOf(index)))
  }
  for (let index = run * 40; index < KEYS; index += 150) {
    await db.deleteRange({ gte: keyOf(index), lt: keyOf(index + 5) })
    for (let at = index; at < index + 5; at++) values.delete(String(keyOf(at)))
  }
  await db.flush()
}

async function contentOf(db: KvShard, snapshot?: KvSnapshot): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for await (const { key, value } of db.scan(snapshot === undefined ? {} : { snapshot }))
    found.set(String(key), String(value))
  return found
}

for (const [what, change] of Object.entries(CHANGES))
  test(`a worker elsewhere that leaves out ${what} is found out, and nothing is lost`, async () => {
    const { db, worker, close } = await start(100)
    const values = await contentOf(db)
    await writeRun(db, 0, values)
    const [snapshot, before] = [db.snapshot(), new Map(values)]
    await writeRun(db, 1, values)
    worker.change = change
    await writeRun(db, 2, values)
    await assert.rejects(db.settle(), (error) => isCode(error, 'JOB_REJECTED') && /merged again/.test(error.message))
    worker.change = undefined
    await db.compactRange()
    assert.deepEqual(await contentOf(db), values)
    assert.deepEqual(await contentOf(db, snapshot), before)
    snapshot.close()
    await close()
  })

for (const what of ['everything', 'the oldest run', 'the second half of its keys'] as const)
  test(`one that leaves out ${what} at the bottom is found out; what it merges as it was told is taken`, async () => {
    const { db, worker, close } = await start(100)
    const values = await contentOf(db)
    for (let run = 0; run < 2; run++) {
      await writeRun(db, run, values)
      worker.change = CHANGES[what]
      await assert.rejects(db.compactRange(), (error) => isCode(error, 'JOB_REJECTED'))
      assert.deepEqual(await contentOf(db), values)
      worker.change = undefined
      await db.compactRange()
      assert.deepEqual(await contentOf(db), values)
      assert.equal(db.statistics().levels.filter(({ files }) => files > 0).length, 1)
    }
    await close()
  })

test('one that leaves out range deletions of what lies deeper is found out', async () => {
  const { db, worker, close } = await start(100)
  const values = await contentOf(db)
  for (let run = 0; run < 3; run++) {
    if (run === 2) worker.change = withoutRangeDeletions
    await db.put(keyOf(KEYS + run), Buffer.from('above'))
    values.set(String(keyOf(KEYS + run)), 'above')
    await db.deleteRange({ gte: keyOf(run * 9), lt: keyOf(run * 9 + 5) })
    for (let index = run * 9; index < run * 9 + 5; index++) values.delete(String(keyOf(index)))
    // So that what is merged begins before them.
    if (run === 0) await db.put(Buffer.from('key'), Buffer.from('above'))
    values.set('key', 'above')
    await db.flush()
  }
  await assert.rejects(db.settle(), (error) => isCode(error, 'JOB_REJECTED') && /merged again/.test(error.message))
  worker.change = undefined
  await db.compactRange()
  assert.deepEqual(await contentOf(db), values)
  await close()
})

test('whoever wants nothing merged again believes what a worker says that agrees with itself', async () => {
  const { db, worker, close } = await start(0)
  worker.change = CHANGES['everything']
  await db.put(keyOf(0), Buffer.from('again'))
  await db.compactRange()
  assert.equal((await contentOf(db)).size, 0)
  await close()
})
