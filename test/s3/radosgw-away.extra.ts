/** A gateway that is killed, or stands still, under a shard that writes: its files and head are there, its journal here. */

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { CachedFileStore } from '../../src/fs/cache/cached-file-store.ts'
import { DiskCache } from '../../src/fs/cache/disk-cache.ts'
import { NodeDevice } from '../../src/fs/node-device.ts'
import { S3FileStore } from '../../src/fs/s3/s3-file-store.ts'
import { S3HeadStore } from '../../src/fs/s3/s3-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import { isCode } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { MIB } from '../../src/kernel/limits.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import type { Radosgw } from '../../tools/servers/radosgw.ts'
import { SETTINGS, valueOf } from '../kill/batches.ts'
import { keyOf } from '../cluster-processes/keys.ts'
import { radosgwClient, radosgwOrSkip } from './radosgw-place.ts'

// Long enough that writes have to wait.
const AWAY_MS = 10_000
const BACK_MS_MAX = 90_000
const WRITERS = 4

const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await loadHash()]

async function open(server: Radosgw, prefix: string, directory: string, cached: boolean): Promise<KvShard> {
  const client = radosgwClient(server, prefix)
  const heads = await S3HeadStore.open({ client, hash })
  const device = new NodeDevice(directory)
  const stored = await S3FileStore.open({ client, hash })
  const place = { device, directory: 'cache', bytesMax: 16 * MIB, hash }
  const cache = cached ? await DiskCache.open(place) : undefined
  const files = cache === undefined ? stored : new CachedFileStore(stored, { cache })
  const jobs = new InlineScheduler({ files, hash, clock, handlers: new HandlerTable({ 'varve/kv/jobs': kvJobs }) })
  const journal = new LocalJournalSystem({ device, directory: 'journal', hash, random })
  const close = async (): Promise<void> => {
    await jobs.close()
    await files.close()
    await cache?.close()
    await client.close()
  }
  const parts = { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash, close }
  return openKv(parts, { settings: SETTINGS })
}

/** Writes, and says of each write what became of it. */
class Load {
  readonly acknowledged: number[] = []
  readonly refusals = new Map<string, number>()
  longestMs = 0
  #stopped = false
  readonly #ended: Promise<unknown>

  constructor(db: KvShard) {
    let next = 1
    const write = async (): Promise<void> => {
      while (!this.#stopped) {
        const number = next++
        const began = performance.now()
        try {
          await db.put(keyOf('load', number), valueOf(number), { durability: 'synced' })
          this.acknowledged.push(number)
        } catch (error) {
          const code = isCode(error, 'BUSY') ? 'BUSY' : String(error)
          this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1)
          await sleep(20)
        }
        this.longestMs = Math.max(this.longestMs, performance.now() - began)
        await sleep(1)
      }
    }
    this.#ended = Promise.all(Array.from({ length: WRITERS }, write))
  }

  async acknowledges(count: number): Promise<number> {
    const [before, began] = [this.acknowledged.length, performance.now()]
    while (this.acknowledged.length < before + count) {
      if (performance.now() - began > BACK_MS_MAX) throw new Error(`no writes: ${JSON.stringify([...this.refusals])}`)
      await sleep(20)
    }
    return Math.round(performance.now() - began)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#ended
  }
}

const server = await radosgwOrSkip('a gateway that goes away costs time, and no write')

if (server !== undefined) {
  for (const silent of [false, true]) {
    // One with it is enough.
    const cached = silent
    const how = `${silent ? 'stands still' : 'is killed'}${cached ? ', behind a disk cache' : ''}`
    test(`a gateway that ${how} costs time, and no write`, async (context) => {
      const directory = mkdtempSync(join(tmpdir(), 'varve-radosgw-away-'))
      const prefix = `away-${String(cached)}-${String(silent)}/`
      const db = await open(server, prefix, directory, cached)
      const load = new Load(db)
      await load.acknowledges(1_000)
      assert.equal(load.refusals.size, 0)
      const away = (): Promise<void> => sleep(AWAY_MS)
      if (silent) await server.asleep(away)
      else {
        await server.killGateway()
        await away()
        await server.startGateway()
      }
      // By itself, and to files again.
      const backMs = await load.acknowledges(1_000)
      await load.stop()
      for (const code of load.refusals.keys()) assert.equal(code, 'BUSY')
      context.diagnostic(
        `${load.acknowledged.length} writes, ${load.refusals.get('BUSY') ?? 0} refused; the longest took ${Math.round(load.longestMs)} ms; 1,000 after ${backMs} ms`,
      )
      await db.flush()
      await db.close()
      const again = await open(server, prefix, directory, cached)
      for (const number of load.acknowledged)
        assert.deepEqual(await again.get(keyOf('load', number)), valueOf(number), `${number} is lost`)
      for await (const { damage } of again.verify()) assert.equal(damage, undefined)
      await again.close()
      rmSync(directory, { recursive: true })
    })
  }
}
