/**
 * A shard host: opens the shards that the map gives to it, and closes those that it takes away.
 *
 *      node host.js FILES JOURNAL MAP
 *
 * It holds memtables and caches; everything durable is elsewhere, so it can die at any time. A shard that takes no more writes
 * is closed, and opened again where the map still gives it to this host: after FENCED it does not, after OUTCOME_UNKNOWN it
 * may.
 */

import { argv } from 'node:process'
import { SystemClock, SystemRandom, openKv } from 'varve'
import { MapStore } from 'varve/cluster'
import { RemoteFileStore, RemoteHeadStore } from 'varve/fs/remote'
import { WorkerScheduler } from 'varve/jobs'
import { RemoteScheduler } from 'varve/jobs/remote'
import { RemoteJournalSystem } from 'varve/journal/remote'
import { VarveError, isCode, loadHash, shardId } from 'varve/kernel'
import type { ShardId } from 'varve/kernel'
import type { KvShard } from 'varve/kv'
import { remoteWorkers } from 'varve/remote-workers'
import { RpcClient, RpcServer, dialSocket, listenSocket } from 'varve/rpc'
import { KvService } from './kv-service.ts'

const LOOK_MS = 20

const [filesAt, journalAt, mapName] = argv.slice(2) as [string, string, string]
const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await loadHash()]
const clientOf = (address: string): RpcClient => new RpcClient({ dial: dialSocket(address), clock, random, hash })
const [fileClient, jobClient, journalClient] = [clientOf(filesAt), clientOf(filesAt), clientOf(journalAt)]
const files = new RemoteFileStore({ client: fileClient })
const heads = new RemoteHeadStore({ client: fileClient })
const journal = await RemoteJournalSystem.connect({ client: journalClient, random })
const localJobs = new WorkerScheduler({ clock, composition: remoteWorkers({ address: filesAt }) })
const map = new MapStore({ heads, name: shardId(mapName) })

const shards = new Map<string, KvShard>()
const ended = new WeakSet<KvShard>()
const service = new KvService(shards, (shard) => ended.add(shard))
const server = new RpcServer({ services: [service], clock, hash })
const { address } = await listenSocket('tcp://127.0.0.1:0', server)
console.log(`listening on ${address}: kv`)

async function open(shard: ShardId): Promise<void> {
  const began = clock.monotonic()
  const jobs = new RemoteScheduler({ client: jobClient, shard, clock, random, local: localJobs })
  const parts = { shard, files, heads, journal, jobs, localJobs, clock, random, hash, close: () => jobs.close() }
  const opened = await openKv(parts, { settings: { memtableBytes: 4 * 1024 * 1024 } })
  shards.set(shard, opened)
  console.log(`${address} has ${shard} after ${Math.round(clock.monotonic() - began)} ms`)
}

async function close(name: string, shard: KvShard): Promise<void> {
  shards.delete(name)
  await shard.close().catch((error: unknown) => {
    // What the journal has is read back by whoever opens the shard next; the rest was not acknowledged, or not as synced.
    if (!isCode(error, 'FENCED', 'SUPERSEDED', 'OUTCOME_UNKNOWN')) console.error(error)
  })
}

/** Has what the map gives to this host, and nothing else. */
async function follow(): Promise<void> {
  const { entries } = await map.read()
  const mine = new Set(entries.filter(({ owner }) => owner === address).map(({ shard }) => shard))
  const past = [...shards].filter(([name, shard]) => !mine.has(shardId(name)) || ended.has(shard))
  await Promise.all(past.map(([name, shard]) => close(name, shard)))
  await Promise.all([...mine].filter((shard) => !shards.has(shard)).map(open))
}

for (;;) {
  await follow().catch((error: unknown) => {
    // A service is away, or another host was faster: the next look tells.
    if (!(error instanceof VarveError) || !['retry', 'unknown', 'fenced'].includes(error.kind)) throw error
    console.error(`${address}: ${error.message}`)
  })
  await new Promise<void>((resolve) => void clock.after(LOOK_MS, resolve, { keepAlive: true }))
}
