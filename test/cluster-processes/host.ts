/**
 * A shard host as a process: everything of its shard is elsewhere. It takes the shard over and writes until it is refused, and
 * says of each call what became of it.
 *
 *      open              the shard is its own
 *      ack NUMBER        the write is on stable storage
 *      again CODE        a call was not acknowledged, and the next one may be
 *      refused CODE      a call was not acknowledged, and none will be
 *      done              every call has settled
 */

import * as kvJobs from '../../src/engines/kv/jobs.ts'
import type { KvShard } from '../../src/engines/kv/kv-shard.ts'
import { openKv } from '../../src/engines/kv/open-kv.ts'
import { RemoteFileStore } from '../../src/fs/remote/remote-file-store.ts'
import { RemoteHeadStore } from '../../src/fs/remote/remote-head-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { RemoteScheduler } from '../../src/jobs/remote/remote-scheduler.ts'
import { RemoteJournalSystem } from '../../src/journal/remote/remote-journal-system.ts'
import { VarveError } from '../../src/kernel/errors.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { shardId } from '../../src/kernel/ids.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import { dialSocket } from '../../src/rpc/socket-transport.ts'
import { SystemClock } from '../../src/system-clock.ts'
import { SystemRandom } from '../../src/system-random.ts'
import { SETTINGS, valueOf } from '../kill/batches.ts'
import { keyOf } from './keys.ts'
import { sayNow } from '../say-now.ts'

interface HostRequest {
  readonly name: string
  readonly files: string
  readonly journal: string
  readonly token: string
}

// After the first refusal: it has to go on being refused.
const CALLS_AFTER = 8
const OPENINGS_MAX = 40

const { name, files: filesAt, journal: journalAt, token } = JSON.parse(process.argv[2] ?? '{}') as HostRequest
const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await loadHash()]

function client(address: string): RpcClient {
  const settings = { heartbeatMs: 500, silenceMsMax: 1_500, handshakeMs: 2_000 }
  return new RpcClient({ dial: dialSocket(address), clock, hash, random, token, settings })
}

async function open(): Promise<KvShard> {
  const [fileClient, journalClient, jobClient] = [client(filesAt), client(journalAt), client(filesAt)]
  const clients = [fileClient, journalClient, jobClient]
  const close = async (): Promise<void> => void (await Promise.all(clients.map((each) => each.close())))
  try {
    const files = new RemoteFileStore({ client: fileClient })
    const heads = new RemoteHeadStore({ client: fileClient })
    const journal = await RemoteJournalSystem.connect({ client: journalClient, random, resumeMs: 8_000 })
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

async function openPatiently(): Promise<KvShard> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open()
    } catch (error) {
      const mayPass = error instanceof VarveError && ['retry', 'unknown', 'fenced'].includes(error.kind)
      if (!mayPass || attempt === OPENINGS_MAX) throw error
    }
  }
}

const db = await openPatiently()
sayNow('open')
let refused = false

async function call(work: () => Promise<unknown>, answer: string): Promise<void> {
  try {
    await work()
    sayNow(answer)
  } catch (error) {
    const mayGoOn = error instanceof VarveError && error.kind === 'retry'
    refused ||= !mayGoOn
    sayNow(`${mayGoOn ? 'again' : 'refused'} ${error instanceof VarveError ? error.code : String(error)}`)
  }
}

const put = (number: number): Promise<void> =>
  call(() => db.put(keyOf(name, number), valueOf(number), { durability: 'synced' }), `ack ${number}`)
let number = 1
for (; !refused; number += 4) await Promise.all([0, 1, 2, 3].map((step) => put(number + step)))
for (let after = 0; after < CALLS_AFTER; after++) await put(number + after)
sayNow('done')
process.exit(0)
