/** Where what a worker has merged cannot be merged again: whose fault that is. What it gets wrong: test/jobs/left-out.test.ts. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileReader } from '../../fs/fs.ts'
import { MemoryFileStore } from '../../fs/memory-file-store.ts'
import { MemoryHeadStore } from '../../fs/memory-head-store.ts'
import { HandlerTable } from '../../jobs/handler-table.ts'
import { InlineScheduler } from '../../jobs/inline-scheduler.ts'
import type { JobHandle, JobSpec } from '../../jobs/jobs.ts'
import { MemoryJournalSystem } from '../../journal/memory-journal.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import { loadHash } from '../../kernel/hash.ts'
import { shardId } from '../../kernel/ids.ts'
import type { FileName } from '../../kernel/ids.ts'
import { BYTEWISE } from '../../kernel/key-order.ts'
import type { AnsweredJob } from '../../shard/shard.ts'
import { BlockCache } from '../../sst/block-cache.ts'
import { TableCache } from '../../sst/table-cache.ts'
import { SeededRandom } from '../../testing/seeded-random.ts'
import { SimulatedClock } from '../../testing/simulated-clock.ts'
import * as kvJobs from './jobs.ts'
import { MergeSamples } from './merge-samples.ts'
import { openKv } from './open-kv.ts'

const hash = await loadHash()

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

/** Files that stay, so that inputs are there, and may answer with an error. */
class ShakyFiles extends MemoryFileStore {
  readonly failing = new Map<FileName, VarveError>()

  override open(ref: FileRef): Promise<FileReader> {
    const error = this.failing.get(ref.name)
    return error === undefined ? super.open(ref) : Promise.reject(error)
  }

  override remove(): Promise<void> {
    return Promise.resolve()
  }
}

interface Merged {
  readonly files: ShakyFiles
  readonly job: AnsweredJob
  readonly input: FileRef
  readonly output: FileRef
}

async function merged(): Promise<Merged> {
  const [clock, files] = [new SimulatedClock(), new ShakyFiles({ hash })]
  const jobs = new NotedJobs({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  const parts = { shard: shardId('main'), files, heads: new MemoryHeadStore(), journal: new MemoryJournalSystem() }
  const settings = { policy: 'tiered', tierRuns: 16 } as const
  const db = await openKv({ ...parts, jobs, clock, random: new SeededRandom(1), hash }, { settings })
  for (const value of ['older', 'newer']) {
    for (const key of ['d', 'e', 'f']) await db.put(Buffer.from(key), Buffer.from(value))
    await db.flush()
  }
  await db.compactRange()
  const job = jobs.answered.find(({ spec }) => spec.handler.export === 'merge')
  const input = job?.spec.inputs[0]
  assert.ok(job !== undefined && input?.type === 'file' && job.outputs[0] !== undefined)
  const result = { files, job, input: input.ref, output: job.outputs[0].ref }
  await samplesOf(result).check([job])
  return result
}

function samplesOf({ files }: Pick<Merged, 'files'>, count = 10): MergeSamples {
  const reading = { order: BYTEWISE, hash, cache: new BlockCache({ cacheBytes: 1 << 20 }) }
  return new MergeSamples({
    files,
    tables: new TableCache(files, reading),
    reading,
    random: new SeededRandom(2),
    count,
  })
}

const missing = new VarveError('FILE_MISSING', 'as the test wants it')
const away = new VarveError('IO_FAILED', 'as the test wants it')

// An owner that had been replaced told its callers that a file was missing.
test('inputs that another owner has removed are no damage, and no fault of the worker’s', async () => {
  const made = await merged()
  made.files.failing.set(made.input.name, missing)
  await assert.rejects(samplesOf(made).check([made.job]), { code: 'JOB_FAILED', cause: missing })
  await samplesOf(made, 0).check([made.job])
})

test('outputs that are not there, or damaged, are', async () => {
  const made = await merged()
  for (const code of ['FILE_MISSING', 'TABLE_CORRUPT'] as const) {
    made.files.failing.set(made.output.name, new VarveError(code, 'as the test wants it'))
    await assert.rejects(samplesOf(made).check([made.job]), { code: 'JOB_REJECTED' })
  }
})

test('of files that cannot be reached now nothing is known', async () => {
  const made = await merged()
  for (const { name } of [made.input, made.output]) {
    made.files.failing.set(name, away)
    await assert.rejects(samplesOf(made).check([made.job]), away)
    made.files.failing.clear()
  }
})
