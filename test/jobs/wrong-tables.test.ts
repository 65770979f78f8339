// A shard whose worker, elsewhere, answers with tables that are others than it says, or nowhere, keeps what it has, and goes on.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LocalFileStore } from '../../src/fs/local-file-store.ts'
import { MemoryHeadStore } from '../../src/fs/memory-head-store.ts'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import type { JobHandle, JobOutput, JobResult, JobScheduler, JobSpec } from '../../src/jobs/jobs.ts'
import { MemoryJournalSystem } from '../../src/journal/memory-journal.ts'
import { isCode } from '../../src/kernel/errors.ts'
import type { FileRef } from '../../src/kernel/file-ref.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { seqno, shardId } from '../../src/kernel/ids.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'

const hash = await loadHash()
const [clock, random] = [new SystemClock(), new SystemRandom()]
const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
const keyOf = (index: number): Buffer => Buffer.from(`key ${String(index).padStart(4, '0')}`)

/** Outputs as the worker says they are. It may change the files before. */
type Lie = (outputs: readonly JobOutput[], spec: JobSpec, files: LocalFileStore) => Promise<readonly JobOutput[]>

/** A worker that is elsewhere. */
class LyingScheduler implements JobScheduler {
  readonly name = 'lying'
  readonly supports = { sharedMemory: false }
  lies = true
  told = 0
  readonly #inner: InlineScheduler
  readonly #lie: (result: JobResult, spec: JobSpec) => Promise<JobResult>

  constructor(inner: InlineScheduler, lie: (result: JobResult, spec: JobSpec) => Promise<JobResult>) {
    this.#inner = inner
    this.#lie = lie
  }

  submit(spec: JobSpec): JobHandle {
    const handle = this.#inner.submit(spec)
    const result = handle.result.then((answer) => {
      if (!this.lies) return answer
      this.told++
      return this.#lie(answer, spec)
    })
    result.catch(() => undefined)
    return {
      id: handle.id,
      result,
      progress: () => handle.progress(),
      cancel: (reason) => handle.cancel(reason),
    }
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

async function contentOf(files: LocalFileStore, ref: FileRef): Promise<Uint8Array> {
  const reader = await files.open(ref)
  const bytes = Uint8Array.from(await reader.read(0, ref.bytes))
  await reader.close()
  return bytes
}

/** Puts other bytes in the place of a file. */
async function replace(files: LocalFileStore, { name }: FileRef, bytes: Uint8Array): Promise<FileRef> {
  await files.remove([name])
  const writer = await files.create(name)
  await writer.write(bytes)
  return writer.finish()
}

const LIES: Readonly<Record<string, Lie>> = {
  'are gone': async (outputs, _spec, files) => {
    await files.remove(outputs.map(({ ref }) => ref.name))
    return outputs
  },
  'are cut short': async (outputs, _spec, files) => {
    for (const { ref } of outputs)
      await replace(files, ref, (await contentOf(files, ref)).subarray(0, Math.floor(ref.bytes / 2)))
    return outputs
  },
  'are cut short, which is said': (outputs, _spec, files) =>
    Promise.all(
      outputs.map(async (output) => {
        const half = (await contentOf(files, output.ref)).subarray(0, Math.floor(output.ref.bytes / 2))
        return { ...output, ref: await replace(files, output.ref, half) }
      }),
    ),
  'have the content of an input': (outputs, { inputs: [input] }, files) =>
    Promise.all(
      outputs.map(async (output) => {
        assert.ok(input?.type === 'file')
        return { ...output, ref: await replace(files, output.ref, await contentOf(files, input.ref)) }
      }),
    ),
  'are named like each other': (outputs) =>
    Promise.resolve(
      outputs.map((output, index) => ({ ...output, ref: outputs[(index + 1) % outputs.length]?.ref ?? output.ref })),
    ),
  'have other seqnos': (outputs) =>
    Promise.resolve(outputs.map((output) => ({ ...output, seqnoLast: seqno(output.seqnoLast + 1) }))),
  'are of another level': (outputs) =>
    Promise.resolve(outputs.map((output) => ({ ...output, group: output.group + 1 }))),
  'are of no level': (outputs) => Promise.resolve(outputs.map((output) => ({ ...output, group: 99 }))),
  'are in an unknown format': (outputs) =>
    Promise.resolve(outputs.map((output) => ({ ...output, format: { ...output.format, version: 99 } }))),
}

async function fill(db: KvShard): Promise<Map<string, string>> {
  const values = new Map<string, string>()
  for (let run = 0; run < 3; run++) {
    for (let index = run; index < 300; index += 1 + run) {
      const [key, value] = [keyOf(index), `${run} of ${index}`.padEnd(60)]
      await db.put(key, Buffer.from(value))
      values.set(String(key), value)
    }
    await db.deleteRange({ gte: keyOf(run * 100), lt: keyOf(run * 100 + 7) })
    for (let index = run * 100; index < run * 100 + 7; index++) values.delete(String(keyOf(index)))
    await db.flush()
  }
  return values
}

async function check(db: KvShard, values: ReadonlyMap<string, string>): Promise<void> {
  const found = new Map<string, string>()
  for await (const { key, value } of db.scan()) found.set(String(key), String(value))
  assert.deepEqual(found, values)
  for (let index = 0; index < 300; index += 11)
    assert.equal((await db.get(keyOf(index)))?.toString(), values.get(String(keyOf(index))))
  for await (const { damage } of db.verify()) assert.equal(damage, undefined)
}

function newFiles(): Promise<LocalFileStore> {
  return LocalFileStore.open({ device: new SimulatedDevice(), directory: 'files', hash })
}

/** Compacts with a worker that lies, then with one that does not. @param workerFiles what it writes to */
async function compact(
  lie: Lie,
  workerFiles: (files: LocalFileStore) => LocalFileStore | Promise<LocalFileStore>,
): Promise<void> {
  const [files, heads] = [await newFiles(), new MemoryHeadStore()]
  const journal = new MemoryJournalSystem()
  const localJobs = new InlineScheduler({ files, hash, clock, handlers })
  const others = await workerFiles(files)
  const away = new InlineScheduler({ files: others, hash, clock, handlers })
  const jobs = new LyingScheduler(away, async (result, spec) => ({
    ...result,
    outputs: await lie(result.outputs, spec, files),
  }))
  const settings = { policy: 'tiered', tierRuns: 16, tableBytes: 4096, blockBytes: 512, keyColumns: true } as const
  const components = { shard: shardId('main'), files, heads, journal, jobs, localJobs, clock, random, hash }
  const db = await openKv(components, { settings })
  const values = await fill(db)
  if (others !== files)
    for (const { name } of await files.list()) {
      const ref = { name, bytes: (await files.list(name))[0]?.bytes ?? 0, checksum: '0'.repeat(16) }
      await replace(others, ref, await contentOf(files, ref))
    }
  await assert.rejects(db.compactRange(), (error) => isCode(error, 'JOB_REJECTED'))
  assert.ok(jobs.told > 0)
  await check(db, values)
  jobs.lies = false
  if (others === files) {
    await db.compactRange()
    await check(db, values)
    assert.equal(db.statistics().levels.filter(({ files: count }) => count > 0).length, 1)
  }
  await db.close()
  const again = await openKv(components, { settings })
  await check(again, values)
  await again.close()
  for (const each of [jobs, localJobs]) await each.close()
}

// Shards took such tables, removed what they were made of, and had lost it.
for (const [name, lie] of Object.entries(LIES))
  test(`tables of a worker elsewhere that ${name} are not taken, and others are`, () => compact(lie, (files) => files))

// It was told that its worker may have other files.
test('an owner whose worker’s tables another one has removed, which took the shard over, is told FENCED', async () => {
  const [files, heads, journal] = [await newFiles(), new MemoryHeadStore(), new MemoryJournalSystem()]
  const inner = new InlineScheduler({ files, hash, clock, handlers })
  const basis = { shard: shardId('main'), files, heads, journal, localJobs: inner, clock, random, hash }
  let next: KvShard | undefined
  const jobs = new LyingScheduler(inner, async (result, spec) => {
    next = await openKv({ ...basis, jobs: inner })
    while ((await files.list(spec.outputPrefix)).length > 0) await clock.turn()
    return result
  })
  const db = await openKv({ ...basis, jobs }, { settings: { policy: 'tiered', tierRuns: 16 } })
  const values = await fill(db)
  await assert.rejects(db.compactRange(), { code: 'FENCED' })
  assert.ok(next !== undefined)
  await check(next, values)
  for (const each of [db, next, jobs]) await each.close()
})

test('tables that a worker has written to other files than those of its shard are not taken', () =>
  compact((outputs) => Promise.resolve(outputs), newFiles))
