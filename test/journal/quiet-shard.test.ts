/** A journal service whose disk is full of what a shard has that does not write: nobody else could make room. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Opened } from '../../src/cli/serve/served-directory.ts'
import { journalsOn, sharedJournalOn } from '../../src/cli/serve/served-journals.ts'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { MemoryFileStore } from '../../src/fs/memory-file-store.ts'
import { MemoryHeadStore } from '../../src/fs/memory-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { JournalService } from '../../src/journal/remote/journal-service.ts'
import { RemoteJournalSystem } from '../../src/journal/remote/remote-journal-system.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { KIB, MIB } from '../../src/kernel/limits.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { dialLoopback } from '../../src/rpc/loopback.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import { SimulatedClock } from '../../src/testing/simulated-clock.ts'
import { SimulatedDevice } from '../../src/testing/simulated-device.ts'

const VALUE = Buffer.alloc(4 * KIB, 'v')
const [hash, random] = [await loadHash(), new SeededRandom(1)]

/** False where there was no space. */
async function put(db: KvShard, index: number): Promise<boolean> {
  try {
    await db.put(Buffer.from(`key ${String(index).padStart(6, '0')}`), VALUE)
    return true
  } catch (error) {
    assert.ok(isCode(error, 'NO_SPACE'), (error as Error).message)
    return false
  }
}

async function count(db: KvShard): Promise<number> {
  let found = 0
  for await (const _ of db.scan({ values: false })) found++
  return found
}

for (const [kind, journalsOf] of [
  ['one log for all shards', sharedJournalOn],
  ['a log for each shard', journalsOn],
] as const) {
  test(`a shard that does not write gives back what it has of a full journal disk: ${kind}`, async () => {
    const [clock, opened] = [new SimulatedClock(), new Opened()]
    const device = new SimulatedDevice({ capacityBytes: 2 * MIB, record: false })
    await device.makeDirectory('.')
    const journals = await journalsOf({ device, directory: 'here', hash, random, clock, opened })
    const service = new JournalService({ journals, clock })
    const server = new RpcServer({ services: [service], clock, hash })
    const files = new MemoryFileStore({ hash })
    const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
    const jobs = new InlineScheduler({ files, hash, clock, handlers })
    const client = new RpcClient({ dial: dialLoopback(server), clock, hash, random })
    const heads = new MemoryHeadStore()
    const open = async (shard: string): Promise<KvShard> => {
      const journal = await RemoteJournalSystem.connect({ client, random })
      return openKv({ shard: shardId(shard), files, heads, journal, jobs, clock, random, hash })
    }
    const [quiet, loud] = [await open('quiet'), await open('loud')]
    // Over the two thirds that a shared log would copy to give the rest back; of what is left, the reserve takes most.
    const quietCount = 410
    for (let index = 0; index < quietCount; index++) assert.ok(await put(quiet, index))
    let [index, taken] = [0, 0]
    while (await put(loud, index++)) taken++
    const refused = taken
    // As if it were tried every 100 ms; a minute is enough for many rounds.
    for (let time = 0; time < 600 && taken < refused + 100; time++) {
      if (await put(loud, index++)) taken++
      clock.advance(100)
      for (let turns = 0; turns < 5; turns++) await clock.turn()
    }
    assert.ok(taken >= refused + 100, `full for ever: ${taken - refused} writes were taken in a minute`)
    assert.equal(quiet.statistics().flushes, 1)
    assert.deepEqual([await count(quiet), await count(loud)], [quietCount, taken])
    await quiet.close()
    await loud.close()
    await jobs.close()
    await client.close()
    await server.close()
    await service.close()
    await opened.close()
  })
}
