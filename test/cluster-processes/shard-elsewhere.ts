/** The shard of these tests, whose parts are all elsewhere: files at a service, journal and head there or at a server of others. */

import { connect, headers } from '@nats-io/transport-node'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import type { HeadStore } from '../../src/fs/fs.ts'
import { NatsHeadStore } from '../../src/fs/nats/nats-head-store.ts'
import { PostgresHeadStore } from '../../src/fs/postgres/postgres-head-store.ts'
import { RemoteFileStore } from '../../src/fs/remote/remote-file-store.ts'
import { RemoteHeadStore } from '../../src/fs/remote/remote-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { RemoteScheduler } from '../../src/jobs/remote/remote-scheduler.ts'
import type { JournalSystem } from '../../src/journal/journal.ts'
import { NatsJournalSystem } from '../../src/journal/nats/nats-journal-system.ts'
import { PostgresJournalSystem } from '../../src/journal/postgres/postgres-journal-system.ts'
import { RemoteJournalSystem } from '../../src/journal/remote/remote-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { JetStream } from '../../src/nats/jet-stream.ts'
import { PostgresDatabase } from '../../src/postgres/postgres-database.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { dialSocket } from '../../src/rpc/socket-transport.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { SETTINGS } from '../kill/batches.ts'

export interface ShardPlaces {
  readonly files: string
  /** Of a service, whose head is where the files are; or `postgres:`, `nats:`, where the head is, too. */
  readonly journal: string
  /** Default: none, where services ask for none. */
  readonly token?: string
}

/** How long appends wait for a journal that is silent, at most: until it is noticed, and until it should be back. */
export const [SILENCE_MS_MAX, RESUME_MS] = [1_500, 8_000]

const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await loadHash()]

interface Commits {
  readonly heads: HeadStore
  readonly journal: JournalSystem
}

/** What can be had of whoever has the journal. */
export function durabilityAt({ journal }: ShardPlaces): 'written' | 'synced' {
  return journal.startsWith('nats:') ? 'written' : 'synced'
}

/** It lets go of its connections when it is closed. */
export async function openElsewhere({ files: filesAt, journal: journalAt, token }: ShardPlaces): Promise<KvShard> {
  const closings: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => void (await Promise.all(closings.map((each) => each())))
  const clientOf = (address: string): RpcClient => {
    const settings = { heartbeatMs: 500, silenceMsMax: SILENCE_MS_MAX, handshakeMs: 2_000 }
    const access = token === undefined ? {} : { token }
    const client = new RpcClient({ dial: dialSocket(address), clock, hash, random, ...access, settings })
    closings.push(() => client.close())
    return client
  }
  try {
    const [fileClient, jobClient] = [clientOf(filesAt), clientOf(filesAt)]
    const files = new RemoteFileStore({ client: fileClient })
    const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
    const localJobs = new InlineScheduler({ files, hash, clock, handlers })
    const jobs = new RemoteScheduler({ client: jobClient, shard: 'main', clock, random, local: localJobs })
    const { heads, journal } = await (journalAt.startsWith('postgres:')
      ? inPostgres(journalAt, closings)
      : journalAt.startsWith('nats:')
        ? onNats(journalAt, closings)
        : atServices(clientOf(journalAt), fileClient))
    const parts = { shard: shardId('main'), files, heads, journal, jobs, localJobs, clock, random, hash, close }
    return await openKv(parts, { settings: SETTINGS })
  } catch (error) {
    await close()
    throw error
  }
}

async function atServices(journalClient: RpcClient, fileClient: RpcClient): Promise<Commits> {
  const heads = new RemoteHeadStore({ client: fileClient })
  return { heads, journal: await RemoteJournalSystem.connect({ client: journalClient, random, resumeMs: RESUME_MS }) }
}

async function inPostgres(connectionString: string, closings: (() => Promise<unknown>)[]): Promise<Commits> {
  const settings = { answerMs: SILENCE_MS_MAX, awayMs: RESUME_MS, connectMs: 2_000 }
  const database = new PostgresDatabase({ address: { connectionString }, clock, settings })
  closings.push(() => database.close())
  const heads = await PostgresHeadStore.open({ database, hash, random })
  return { heads, journal: await PostgresJournalSystem.connect({ database, hash, random }) }
}

async function onNats(servers: string, closings: (() => Promise<unknown>)[]): Promise<Commits> {
  const addresses = servers.replace('nats:', '').split(',')
  const connection = await connect({ servers: addresses, maxReconnectAttempts: -1, reconnectTimeWait: 100 })
  closings.push(() => connection.close())
  const streams = new JetStream({ connection, headers, clock, random, settings: { requestMs: SILENCE_MS_MAX } })
  const options = { streams, hash, clock, random }
  const settings = { replicas: addresses.length as 1 | 3, resumeMs: RESUME_MS }
  const heads = new NatsHeadStore({ ...options, settings: { replicas: settings.replicas } })
  return { heads, journal: new NatsJournalSystem({ ...options, settings }) }
}
