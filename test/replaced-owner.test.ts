/** What an owner does once another has taken its shard, though all of its parts go on working for it. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import type { KvShard } from '../src/engines/kv/kv-shard.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import type { KvComponents } from '../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../src/fs/memory-head-store.ts'
import { TracedFileStore } from '../src/fs/traced-stores.ts'
import type { TraceEvent } from '../src/fs/traced-stores.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import type { JobScheduler } from '../src/jobs/jobs.ts'
import { failedAppend } from '../src/journal/append-check.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from '../src/journal/memory-journal.ts'
import { VarveError, isCode } from '../src/kernel/errors.ts'
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

// Its compaction failed for want of files that the new owner had removed, again and again, and level 0 stayed full.
test('an owner that was replaced refuses writes that wait for its compaction, which fails from then on', async () => {
  const [hash, clock, random] = [await loadHash(), new SystemClock(), new SystemRandom()]
  const [files, heads, storage] = [new MemoryFileStore({ hash }), new MemoryHeadStore(), new MemoryJournalStorage()]
  const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
  const componentsOf = (jobs: JobScheduler): KvComponents => {
    const localJobs = new InlineScheduler({ files, hash, clock, handlers })
    const journal = new MemoryJournalSystem({ storage })
    return { shard: shardId('main'), files, heads, journal, jobs, localJobs, clock, random, hash }
  }
  const nobody = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({}) })
  const failing: JobScheduler = {
    name: 'failing',
    supports: { sharedMemory: false },
    pending: 0,
    pendingMax: 10,
    submit: (spec) => nobody.submit(spec),
    ready: () => nobody.ready(),
    close: () => nobody.close(),
  }
  const settings = { ...TINY_SETTINGS, level0FilesStop: 3, retryDelayMs: 10 }
  const first = await openKv(componentsOf(failing), { settings })
  for (let file = 0; file < 3; file++) {
    await first.put(Buffer.from('key'), Buffer.from(String(file)))
    await first.flush()
  }
  const waiting = first.put(Buffer.from('key'), Buffer.from('waits'))
  const second = await openKv(componentsOf(new InlineScheduler({ files, hash, clock, handlers })), { settings })
  await assert.rejects(waiting, { code: 'FENCED' })
  await second.compactRange()
  await Promise.all([first.close(), second.close()])
})

test('an owner that was replaced reads what it can, and where the new owner has removed a file it says who', async () => {
  const simulation = await Simulation.start(1, { ...TINY_SETTINGS, cacheBytes: 0 }, { syncRead: false })
  const first = simulation.db
  const fill = (db: KvShard, byte: number): Promise<unknown> =>
    Promise.all(Array.from({ length: 200 }, (_, key) => db.put(Buffer.from(`key ${key}`), Buffer.alloc(50, byte))))
  for (let round = 0; round < 2; round++) {
    await fill(first, round)
    await first.flush()
  }
  await first.settle()
  simulation.cleansUp = false
  await simulation.open()
  await fill(simulation.db, 9)
  await simulation.db.compactRange()
  const outcomes = await Promise.allSettled(
    Array.from({ length: 200 }, (_, key) => first.get(Buffer.from(`key ${key}`))),
  )
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []))
  assert.ok(refused.length > 0 && refused.every((reason) => isCode(reason, 'FENCED')), String(refused[0]))
  await first.close()
  await simulation.stop()
})

test('a fresh read of an owner that was replaced is FENCED, where others answer what it knew', async () => {
  const simulation = await Simulation.start(1, TINY_SETTINGS)
  const first = simulation.db
  const key = Buffer.from('key')
  await first.put(key, Buffer.from('old'))
  const fresh = { fresh: true }
  assert.equal(String(await first.get(key, fresh)), 'old')
  assert.equal(await first.has(key, fresh), true)
  assert.deepEqual((await first.getMany([key, Buffer.from('other')], fresh)).map(String), ['old', 'undefined'])
  simulation.cleansUp = false
  await simulation.open()
  await simulation.db.put(key, Buffer.from('new'))
  assert.equal(String(await first.get(key)), 'old')
  for (const read of [first.get(key, fresh), first.has(key, fresh), first.getMany([key], fresh)])
    await assert.rejects(read, { code: 'FENCED' })
  assert.equal(String(await simulation.db.get(key, fresh)), 'new')
  await first.close()
  await simulation.stop()
})

/** Two owners, the second of which comes when `takeOver` is called; the first one's journal can be cut off. */
async function cutOff(): Promise<{ first: KvShard; cut: () => void; takeOver: () => Promise<KvShard> }> {
  const [hash, clock, random] = [await loadHash(), new SystemClock(), new SystemRandom()]
  const [files, heads, storage] = [new MemoryFileStore({ hash }), new MemoryHeadStore(), new MemoryJournalStorage()]
  const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  const unknown = new VarveError('OUTCOME_UNKNOWN', 'nobody answers', { details: { operation: 'append' } })
  let gone = false
  const open = (journal: MemoryJournalSystem): Promise<KvShard> =>
    openKv({ shard: shardId('main'), files, heads, journal, jobs, clock, random, hash }, { settings: TINY_SETTINGS })
  const system = new MemoryJournalSystem({ storage })
  const below = system.open.bind(system)
  system.open = async (...how) => {
    const journal = await below(...how)
    return new Proxy(journal, {
      get(target, name) {
        if (gone && name === 'append') return () => failedAppend(target.end, unknown)
        if (gone && (name === 'barrier' || name === 'sync')) return () => Promise.reject(unknown)
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
  const first = await open(system)
  return { first, cut: () => void (gone = true), takeOver: () => open(new MemoryJournalSystem({ storage })) }
}

// Told to close the shard and to open it again, which takes it away from who has it now.
test('an owner whose write was of unknown outcome says FENCED once somebody else has its shard', async () => {
  const { first, cut, takeOver } = await cutOff()
  const [key, value, clock] = [Buffer.from('key'), Buffer.from('value'), new SystemClock()]
  await first.put(key, value)
  cut()
  await assert.rejects(first.put(key, value), { code: 'OUTCOME_UNKNOWN' })
  for (let turn = 0; turn < 20; turn++) {
    await assert.rejects(first.put(key, value), { code: 'POISONED' })
    await clock.turn()
  }
  await assert.rejects(first.get(key, { fresh: true }), { code: 'OUTCOME_UNKNOWN' })
  const second = await takeOver()
  await assert.rejects(first.put(key, value), { code: 'POISONED' })
  for (let turn = 0; turn < 20; turn++) await clock.turn()
  await assert.rejects(first.put(key, value), { code: 'FENCED' })
  await assert.rejects(first.batch([{ type: 'put', key, value }]), { code: 'FENCED' })
  await first.close()
  await second.close()
})

test('an owner that is cut off from its journal reads afresh and closes with FENCED known, where its head says so', async () => {
  const { first, cut, takeOver } = await cutOff()
  await first.put(Buffer.from('key'), Buffer.from('value'))
  const second = await takeOver()
  cut()
  await assert.rejects(first.get(Buffer.from('key'), { fresh: true }), { code: 'FENCED' })
  await first.close()
  await second.close()
})
