/** The shard of these tests, whose parts are all at services. */

import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { RemoteFileStore } from '../../src/fs/remote/remote-file-store.ts'
import { RemoteHeadStore } from '../../src/fs/remote/remote-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { RemoteScheduler } from '../../src/jobs/remote/remote-scheduler.ts'
import { RemoteJournalSystem } from '../../src/journal/remote/remote-journal-system.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { dialSocket } from '../../src/rpc/socket-transport.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { SETTINGS } from '../kill/batches.ts'

export interface ShardPlaces {
  readonly files: string
  readonly journal: string
  readonly token: string
}

/** How long appends wait for a journal that is silent, at most: until it is noticed, and until it should be back. */
export const [SILENCE_MS_MAX, RESUME_MS] = [1_500, 8_000]

const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await loadHash()]

/** It lets go of its connections when it is closed. */
export async function openElsewhere({ files: filesAt, journal: journalAt, token }: ShardPlaces): Promise<KvShard> {
  const settings = { heartbeatMs: 500, silenceMsMax: SILENCE_MS_MAX, handshakeMs: 2_000 }
  const clients = [filesAt, journalAt, filesAt].map(
    (address) => new RpcClient({ dial: dialSocket(address), clock, hash, random, token, settings }),
  )
  const [fileClient, journalClient, jobClient] = clients as [RpcClient, RpcClient, RpcClient]
  const close = async (): Promise<void> => void (await Promise.all(clients.map((each) => each.close())))
  try {
    const files = new RemoteFileStore({ client: fileClient })
    const heads = new RemoteHeadStore({ client: fileClient })
    const journal = await RemoteJournalSystem.connect({ client: journalClient, random, resumeMs: RESUME_MS })
    const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })
    const localJobs = new InlineScheduler({ files, hash, clock, handlers })
    const jobs = new RemoteScheduler({ client: jobClient, shard: 'main', clock, random, local: localJobs })
    const parts = { shard: shardId('main'), files, heads, journal, jobs, localJobs, clock, random, hash, close }
    return await openKv(parts, { settings: SETTINGS })
  } catch (error) {
    await close()
    throw error
  }
}
