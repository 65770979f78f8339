/** What a closed shard leaves of its parts: nothing open, nothing under way, and nothing locked. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import { followKv } from '../src/engines/kv/follow-kv.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import type { FileReader, FileStore } from '../src/fs/fs.ts'
import { MemoryFileStore } from '../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../src/fs/memory-head-store.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { MemoryJournalStorage, MemoryJournalSystem } from '../src/journal/memory-journal.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { shardId } from '../src/kernel/ids.ts'
import { localComponents } from '../src/local-components.ts'
import { KV_HANDLERS, open } from '../src/local.ts'
import { SeededRandom } from '../src/testing/seeded-random.ts'
import { SimulatedClock } from '../src/testing/simulated-clock.ts'

const hash = await loadHash()
const bytes = (text: string): Uint8Array => Buffer.from(text)

/** Parts that others use as well: closing a shard does not close them. */
function sharedParts() {
  const [clock, random] = [new SimulatedClock(), new SeededRandom(1)]
  const [files, heads] = [new MemoryFileStore({ hash }), new MemoryHeadStore()]
  const journal = new MemoryJournalSystem({ storage: new MemoryJournalStorage() })
  const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
  const jobs = new InlineScheduler({ files, hash, clock, handlers })
  return { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash }
}

test('a closed shard has no table open any more, though the files are those of others too', async () => {
  const parts = sharedParts()
  const held = new Set<FileReader>()
  const counted = (reader: FileReader): FileReader => {
    held.add(reader)
    const close = reader.close.bind(reader)
    reader.close = () => {
      held.delete(reader)
      return close()
    }
    return reader
  }
  const [opens, opensSync] = [parts.files.open.bind(parts.files), parts.files.openSync.bind(parts.files)]
  parts.files.open = async (...given) => counted(await opens(...given))
  parts.files.openSync = (...given) => counted(opensSync(...given))
  const db = await openKv(parts)
  await db.put(bytes('key'), bytes('value'))
  await db.flush()
  assert.deepEqual(await db.get(bytes('key')), bytes('value'))
  assert.ok(held.size > 0, 'it reads from a table')
  await db.close()
  assert.equal(held.size, 0)
})

// It opened, and the first flush failed, for good.
test('over parts that have been closed nothing is opened, and the head stays as it was', async () => {
  for (const closing of ['files', 'jobs', 'localJobs'] as const) {
    const parts = sharedParts()
    const { files, clock, heads, shard } = parts
    const localJobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({}) })
    const given = { ...parts, localJobs }
    const db = await openKv(given)
    await db.put(bytes('key'), bytes('value'))
    await db.close()
    const head = await heads.read(shard)
    await given[closing].close()
    await assert.rejects(openKv(given), { code: 'CLOSED' }, closing)
    assert.deepEqual(await heads.read(shard), head)
    // Who only reads has no jobs.
    const reading = [openKv(given, { readOnly: true }), followKv(given)]
    for (const opening of reading) {
      if (closing === 'files') await assert.rejects(opening, { code: 'CLOSED' })
      else await (await opening).close()
    }
  }
})

test('a table whose file store has been closed under verification is not damaged', async () => {
  const parts = sharedParts()
  const first = await openKv(parts)
  await first.put(bytes('key'), bytes('value'))
  await first.flush()
  await first.close()
  const db = await openKv(parts)
  const verification = db.verify()
  await parts.files.close()
  await assert.rejects(verification.next(), { code: 'CLOSED' })
})

test('the parts of a directory are not opened over again once a shard has closed them', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-closed-parts-'))
  try {
    const parts = await localComponents(directory, { handlers: KV_HANDLERS })
    await (await openKv(parts)).close()
    await assert.rejects(openKv(parts), { code: 'CLOSED' })
    await assert.rejects(openKv(parts, { readOnly: true }), { code: 'CLOSED' })
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('closing waits for a flush that is under way, behind which nothing is done any more', async () => {
  const parts = sharedParts()
  const creates = parts.files.create.bind(parts.files)
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const begun = new Promise<void>((resolve) => {
    parts.files.create = async (...given) => {
      resolve()
      await released
      return creates(...given)
    }
  })
  const db = await openKv(parts)
  await db.put(bytes('key'), bytes('value'))
  const flushed = assert.rejects(db.flush(), { code: 'CLOSED' })
  await begun
  let isClosed = false
  const closed = db.close().then(() => (isClosed = true))
  for (let left = 0; left < 50; left++) await parts.clock.turn()
  assert.equal(isClosed, false, 'its table is still being written')
  release()
  await closed
  await flushed
  const [listed, head] = [await parts.files.list(), await parts.heads.read(parts.shard)]
  for (let left = 0; left < 50; left++) await parts.clock.turn()
  assert.deepEqual([await parts.files.list(), await parts.heads.read(parts.shard)], [listed, head])
})

// The directory was LOCKED by this very process until it ended, and another failure of opening hid why it could not be opened.
test('where a part cannot be closed, the directory is not locked any more, and an opening says what it failed of', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'varve-closed-parts-'))
  try {
    const unclosable = (inner: FileStore): FileStore => {
      inner.close = () => Promise.reject(new Error('not to be closed'))
      return inner
    }
    const wrappers = [{ module: { unclosable }, url: new URL(import.meta.url), export: 'unclosable' }]
    const db = await open(directory, { jobs: 'inline', wrappers })
    await db.put(bytes('key'), bytes('value'))
    await assert.rejects(db.close(), { message: 'not to be closed' })
    await assert.rejects(open(directory, { jobs: 'inline', wrappers, errorIfExists: true }), { code: 'EXISTS' })
    const again = await open(directory, { jobs: 'inline' })
    assert.deepEqual(await again.get(bytes('key')), bytes('value'))
    await again.close()
  } finally {
    rmSync(directory, { recursive: true })
  }
})
