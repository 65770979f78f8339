/** The same shard, with more and more of its parts elsewhere. */

import type { KvOpenOptions, KvShard } from 'varve'
import type { KvComponents } from 'varve/kv'
import type { RpcClient } from 'varve/rpc'
import type { VarveModules } from './varve-modules.ts'

export const COMPOSITIONS = ['local', 'files', 'journal', 'elsewhere'] as const
export type Composition = (typeof COMPOSITIONS)[number]
export type JobsPlace = 'inline' | 'threads' | 'workers'

export interface Place {
  /** Of its own: of what is local. */
  readonly directory: string
  readonly filesAt: string
  readonly journalAt: string
  readonly shard: string
}

export interface OpenRequest {
  readonly composition: Composition
  readonly jobs: JobsPlace
  readonly place: Place
  readonly settings: NonNullable<KvOpenOptions['settings']>
}

/** Of a shard of its own. */
export type Request = (composition: Composition, jobs: JobsPlace, settings?: OpenRequest['settings']) => OpenRequest

type Close = () => Promise<void>

/** What a table calls it. */
export function labelOf(composition: Composition): string {
  const labels = { local: 'none', files: 'files, heads', journal: 'journal', elsewhere: 'files, heads, journal' }
  return labels[composition]
}

/**
 * Opens a shard whose files are here or elsewhere, and its journal. Jobs of workers need files elsewhere; flushes, which cannot go
 * there, have threads of this process then.
 */
export async function openComposition(modules: VarveModules, request: OpenRequest): Promise<KvShard> {
  const { composition, jobs, place, settings } = request
  const { varve, kernel } = modules
  const closes: Close[] = []
  const isAway = (part: 'files' | 'journal'): boolean => composition === part || composition === 'elsewhere'
  const local = await varve.localComponents(place.directory, {
    handlers: varve.KV_HANDLERS,
    jobs: jobs === 'threads' ? 'threads' : 'inline',
  })
  closes.push(() => local.close())
  const basis = { clock: local.clock, random: local.random, hash: local.hash }
  const clientOf = (address: string): RpcClient => {
    const client = new modules.rpc.RpcClient({ dial: modules.rpc.dialSocket(address), ...basis })
    closes.push(() => client.close())
    return client
  }
  let parts: KvComponents = { ...local, shard: kernel.shardId(place.shard) }
  if (isAway('files')) parts = { ...parts, ...filesElsewhere(modules, request, parts, clientOf(place.filesAt), closes) }
  if (isAway('journal')) {
    const { RemoteJournalSystem } = modules.journal
    const journal = await RemoteJournalSystem.connect({ client: clientOf(place.journalAt), random: local.random })
    parts = { ...parts, journal }
  }
  if (jobs === 'workers') {
    const client = clientOf(place.filesAt)
    const remote = new modules.jobsRemote.RemoteScheduler({ client, ...parts })
    closes.push(() => remote.close())
    parts = { ...parts, jobs: remote, localJobs: parts.jobs }
  }
  const close = async (): Promise<void> => {
    for (const each of closes.reverse()) await each()
  }
  return varve.openKv({ ...parts, close }, { settings })
}

function filesElsewhere(
  modules: VarveModules,
  { jobs: where, place }: OpenRequest,
  { hash, clock }: KvComponents,
  client: RpcClient,
  closes: Close[],
): Pick<KvComponents, 'files' | 'heads' | 'jobs'> {
  const { RemoteFileStore, RemoteHeadStore } = modules.fs
  const files = new RemoteFileStore({ client })
  closes.push(() => files.close())
  const handlers = new modules.jobs.HandlerTable({ 'varve/kv/jobs': modules.kvJobs })
  const jobs =
    where === 'inline'
      ? new modules.jobs.InlineScheduler({ files, hash, clock, handlers })
      : new modules.jobs.WorkerScheduler({
          clock,
          composition: modules.remoteWorkers.remoteWorkers({ address: place.filesAt }),
        })
  closes.push(() => jobs.close())
  return { files, heads: new RemoteHeadStore({ client }), jobs }
}
