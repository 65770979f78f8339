/** A shard that is closed while its files and heads are at a server that has gone. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../src/fs/memory-head-store.ts'
import { FileService } from '../src/fs/remote/file-service.ts'
import { HeadService } from '../src/fs/remote/head-service.ts'
import { RemoteFileStore } from '../src/fs/remote/remote-file-store.ts'
import { RemoteHeadStore } from '../src/fs/remote/remote-head-store.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import type { JobScheduler } from '../src/jobs/jobs.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from '../src/journal/memory-journal.ts'
import { VarveError } from '../src/kernel/errors.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { shardId } from '../src/kernel/ids.ts'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import { RpcClient } from '../src/rpc/client.ts'
import { dialLoopback } from '../src/rpc/loopback.ts'
import { RpcServer } from '../src/rpc/server.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'
import { SimulatedClock } from '../src/testing/simulated-clock.ts'

const hash = await loadHash()
const STEP_MS = 20

// It took 30 s for what was under way, and 30 s for each question after that.
for (const moment of ['a flush writes', 'a flush commits'] as const) {
  for (const silent of [false, true]) {
    test(`where ${moment} and the server ${silent ? 'falls silent' : 'has gone'}, closing takes closeMs and loses nothing`, async () => {
      const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
      const [stored, heads] = [new MemoryFileStore({ hash }), new MemoryHeadStore()]
      const serve = (): RpcServer => {
        const services = [new FileService({ files: stored, hash, clock }), new HeadService({ heads, clock })]
        return new RpcServer({ services, clock, hash })
      }
      let server = serve()
      let [gone, armed] = [false, true]
      const journal = new MemoryJournalSystem({ storage: new MemoryJournalStorage() })
      const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
      const clients: RpcClient[] = []
      let passing = true
      void (async () => {
        for (; passing; clock.advance(STEP_MS)) await clock.turn()
      })()
      const open = (closeMs: number) => {
        const dial = (signal: AbortSignal) =>
          gone ? Promise.reject(new VarveError('IO_FAILED', 'refused')) : dialLoopback(server)(signal)
        const client = new RpcClient({ dial, clock, random, hash })
        clients.push(client)
        const files = new RemoteFileStore({ client })
        const jobs = new InlineScheduler({ files, hash, clock, handlers })
        const places = { files, heads: new RemoteHeadStore({ client }), journal, jobs, clock, random, hash }
        return openKv({ shard: shardId('main'), ...places }, { settings: { closeMs, memtableBytes: 1024 * 1024 } })
      }
      /** From now on nothing is answered. */
      const vanish = async (): Promise<void> => {
        gone = true
        if (silent) await new Promise(() => {})
        void server.close()
      }
      const db = await open(1_000)
      await db.put(Buffer.from('key'), Buffer.from('value'), { durability: 'synced' })
      const isMoment = new Promise<void>((resolve) => {
        const gate = <Arguments extends unknown[], Result>(call: (...given: Arguments) => Promise<Result>) => {
          return async (...given: Arguments): Promise<Result> => {
            if (armed) {
              armed = false
              resolve()
              await vanish()
            }
            return call(...given)
          }
        }
        if (moment === 'a flush commits') heads.compareAndSet = gate(heads.compareAndSet.bind(heads))
        else stored.create = gate(stored.create.bind(stored))
      })
      const flushed = assert.rejects(db.flush())
      await isMoment
      const beganMs = clock.monotonic()
      await db.close()
      const elapsedMs = clock.monotonic() - beganMs
      assert.ok(elapsedMs < 2_000, `${elapsedMs} ms`)
      await flushed
      server = serve()
      gone = false
      const again = await open(1_000)
      assert.equal(String(await again.get(Buffer.from('key'))), 'value')
      await again.close()
      passing = false
      for (const client of clients) await client.close()
    })
  }
}

// It took the rest of its lease, 15 s: a broker waits for a worker to say that it has stopped.
test('where a compaction is at a worker that has gone, closing takes closeMs and loses nothing', async () => {
  const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
  const [files, heads] = [new MemoryFileStore({ hash }), new MemoryHeadStore()]
  const journal = new MemoryJournalSystem({ storage: new MemoryJournalStorage() })
  const localJobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  const gone: JobScheduler = {
    name: 'gone',
    supports: { sharedMemory: false },
    pending: 0,
    pendingMax: 10,
    submit: ({ id }) => ({ id, result: new Promise(() => {}), progress: () => 0, cancel: () => undefined }),
    ready: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
  const open = (jobs: JobScheduler) =>
    openKv(
      { shard: shardId('main'), files, heads, journal, jobs, localJobs, clock, random, hash },
      { settings: { closeMs: 1_000 } },
    )
  const db = await open(gone)
  for (let file = 0; file < 2; file++) {
    await db.put(Buffer.from('key'), Buffer.from(`value ${file}`))
    await db.flush()
  }
  const compacted = assert.rejects(db.compactRange())
  while (db.statistics().jobsRunning === 0) await clock.turn()
  const [beganMs, closed] = [clock.monotonic(), db.close().then(() => true)]
  while (!(await Promise.race([closed, clock.turn()]))) {
    assert.ok(clock.monotonic() - beganMs < 2_000, 'closing waits for the worker')
    clock.advance(STEP_MS)
  }
  await compacted
  const again = await open(localJobs)
  assert.equal(String(await again.get(Buffer.from('key'))), 'value 1')
  await again.close()
})

/** Over a journal that says after `goneMs` that nobody knows, as one does that has gone. @returns what closing ends with */
async function closeWithoutJournal(
  goneMs: number,
  meanwhile: (heads: MemoryHeadStore, open: Open) => Promise<unknown>,
) {
  const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
  const [files, heads] = [new MemoryFileStore({ hash }), new MemoryHeadStore()]
  const storage = new MemoryJournalStorage()
  const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  const open = (journal = new MemoryJournalSystem({ storage })): ReturnType<typeof openKv> =>
    openKv(
      { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash },
      { settings: { closeMs: 1_000 } },
    )
  const gone = new MemoryJournalSystem({ storage })
  const opens = gone.open.bind(gone)
  gone.open = async (...given) => {
    const journal = await opens(...given)
    const unknown = new VarveError('OUTCOME_UNKNOWN', 'gone', { details: { operation: 'sync' } })
    journal.sync = () => new Promise((_, reject) => clock.after(goneMs, () => reject(unknown)))
    return journal
  }
  const db = await open(gone)
  await db.put(Buffer.from('key'), Buffer.from('value'))
  await meanwhile(heads, open)
  const beganMs = clock.monotonic()
  const closing = db.close().then(
    () => 'no error',
    (error: unknown) => (error as VarveError).code,
  )
  let outcome: string | undefined
  void closing.then((code) => (outcome = code))
  while (outcome === undefined) {
    await clock.turn()
    clock.advance(STEP_MS)
    assert.ok(clock.monotonic() - beganMs < goneMs + 2_000, 'closing waits for something else')
  }
  return outcome
}

type Open = () => ReturnType<typeof openKv>

// It was not asked at all where the journal had taken longer than closeMs, as one that has gone does.
test('where the journal has gone and another owner has come, closing is no error', async () => {
  for (const goneMs of [0, 3_000])
    assert.equal(await closeWithoutJournal(goneMs, async (_, open) => (await open()).close()), 'no error')
})

test('where the journal has gone, closing asks the head for no longer than closeMs', async () => {
  for (const goneMs of [0, 3_000]) {
    const silence = async (heads: MemoryHeadStore) => void (heads.read = () => new Promise(() => {}))
    assert.equal(await closeWithoutJournal(goneMs, silence), 'OUTCOME_UNKNOWN')
  }
})
