/** What a shard on S3 asks for when nobody asks it for anything, and what it costs otherwise. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadHash } from '../../src/kernel/hash.ts'
import { fileName, shardId } from '../../src/kernel/ids.ts'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { costOf } from '../../src/fs/s3/usage.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import { putFile } from '../../src/testing/file-model.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'
import { TINY_SETTINGS } from '../simulation.ts'
import { S3Double } from './s3-double.ts'
import { clientOf, openS3Files, openS3Heads } from './s3-place.ts'

const hash = await loadHash()
const MINUTE_MS = 60_000

test('an idle shard on S3 makes fewer than ten requests an hour', async () => {
  const double = new S3Double()
  const clock = new SimulatedClock()
  const client = clientOf(double, 1, { clock })
  const [files, heads] = [await openS3Files(client), await openS3Heads(client)]
  const [device, random] = [new SimulatedDevice(), new SeededRandom(1)]
  const journal = new LocalJournalSystem({ device, directory: 'journal', hash, random })
  const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  const parts = { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash }
  const shard = await openKv(parts, { settings: TINY_SETTINGS })
  const key = (index: number): Uint8Array => new TextEncoder().encode(`key-${index}`)
  for (let index = 0; index < 300; index++) await shard.put(key(index), key(index))
  await shard.compactRange()
  await files.ready()

  const used = client.usage
  assert.ok(used.writes > 20, 'the shard has tables and heads there')
  for (let minute = 0; minute < 60; minute++) {
    clock.advance(MINUTE_MS)
    for (let turn = 0; turn < 5; turn++) await clock.turn()
  }
  const idle = client.usage
  const requests = idle.writes + idle.reads + idle.lists + idle.deletes
  const before = used.writes + used.reads + used.lists + used.deletes
  assert.ok(requests - before < 10, `${requests - before} requests in an hour`)
  assert.equal(String(await shard.get(key(7))), 'key-7', 'it is still there')
  await shard.close()
  await jobs.close()
  await files.close()
  await client.close()
})

test('what was asked for is counted, retries included, and has a price', async () => {
  const double = new S3Double()
  const client = clientOf(double, 1)
  const files = await openS3Files(client)
  const before = client.usage
  let puts = 0
  double.plan = ({ method }) => (method === 'PUT' && ++puts === 1 ? 503 : undefined)
  const ref = await putFile(files, fileName('a'), new Uint8Array(1000))
  const reader = await files.open(ref)
  await reader.read(10, 100)
  await files.list()
  await reader.close()
  await files.remove([ref.name])
  const { writes, reads, lists, deletes, retries, sentBytes } = client.usage
  const added = {
    writes: writes - before.writes,
    // The look after the failure, the length of the file, the range.
    reads: reads - before.reads,
    lists: lists - before.lists,
    deletes: deletes - before.deletes,
    retries: retries - before.retries,
    sentBytes: sentBytes - before.sentBytes,
  }
  assert.deepEqual(added, { writes: 2, reads: 3, lists: 1, deletes: 1, retries: 1, sentBytes: 2000 })
  const million = { ...added, writes: 1e6, reads: 1e6, lists: 1000, receivedBytes: 2 ** 30 }
  assert.equal(costOf(million).toFixed(3), '5.405', 'by the prices of Amazon')
  assert.equal(costOf(million, { perReceivedGib: 0.09 }).toFixed(3), '5.495', 'bytes that leave the region cost')
})
