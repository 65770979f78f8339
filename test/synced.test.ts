import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import * as kvJobs from '../src/engines/kv/jobs.ts'
import { openKv } from '../src/engines/kv/open-kv.ts'
import { LocalFileStore } from '../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../src/fs/local-head-store.ts'
import { NodeDevice } from '../src/fs/node-device.ts'
import { HandlerTable } from '../src/jobs/handler-table.ts'
import { InlineScheduler } from '../src/jobs/inline-scheduler.ts'
import { LocalJournalSystem } from '../src/journal/local-journal-system.ts'
import { loadHash } from '../src/kernel/hash.ts'
import { shardId } from '../src/kernel/ids.ts'
import { SystemClock } from '../src/system-clock.ts'
import { SystemRandom } from '../src/system-random.ts'
import { CountingDevice } from './durability/counting-device.ts'
import { markerOf } from './durability/markers.ts'
import { SyncLedger } from './durability/sync-ledger.ts'

// Segments of a few writes, so that new files and their names are part of most answers.
const SEGMENTS = { segmentBytes: 64 * 1024, preallocateBytes: 16 * 1024 }

test('no synced promise resolves before a sync covers its bytes and the name of their file', async (context) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-synced-'))
  context.after(() => fs.rmSync(directory, { recursive: true, force: true }))
  const ledger = new SyncLedger()
  const device = new CountingDevice(new NodeDevice(directory), ledger)
  const [hash, clock, random] = [await loadHash(), new SystemClock(), new SystemRandom()]
  const files = await LocalFileStore.open({ device, directory: 'files', hash })
  const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
  const journal = new LocalJournalSystem({ device, directory: 'journal', hash, random, settings: SEGMENTS })
  const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
  const jobs = new InlineScheduler({ files, hash, clock, handlers })
  const db = await openKv({ shard: shardId('main'), files, heads, journal, jobs, clock, random, hash })

  const filler = Buffer.alloc(900, 'x')
  const put = async (number: number): Promise<void> => {
    const marker = markerOf(number)
    await db.put(Buffer.from(marker), Buffer.concat([Buffer.from(marker), filler]), { durability: 'synced' })
    assert.deepEqual(ledger.atRisk(marker), [], `${marker} was acknowledged before it was durable`)
  }
  let number = 0
  for (let round = 0; round < 60; round++) {
    const group = Array.from({ length: 1 + ((round * 7) % 13) }, () => put(number++))
    // A write that asks for less goes with them, and its file is at risk until a sync that is somebody else's.
    group.push(db.put(Buffer.from('written'), filler))
    await Promise.all(group)
    if (round % 20 === 19) await db.flush()
  }
  await db.close()
  context.diagnostic(`${number} synced puts, ${ledger.syncs} syncs, ${ledger.directorySyncs} of directories`)
  assert.ok(
    ledger.syncs >= 60 && ledger.syncs < number,
    'puts of one turn share a sync, those of different turns do not',
  )
})

test('the ledger sees a write without sync, a sync that began too early and a file without a name', () => {
  const ledger = new SyncLedger()
  ledger.named('/journal/1')
  const early = ledger.sync('/journal/1')
  ledger.write('/journal/1', ['a'])()
  early()
  assert.deepEqual(ledger.atRisk('a'), ['bytes of /journal/1', 'the name /journal/1'])
  ledger.sync('/journal/1')()
  assert.deepEqual(ledger.atRisk('a'), ['the name /journal/1'])
  ledger.syncDirectory('/journal')()
  assert.deepEqual(ledger.atRisk('a'), [])
  assert.deepEqual(ledger.atRisk('b'), ['b was never written'])
})
