/** What the machines of a simulated cluster run: a journal, files and heads, a broker of jobs, workers. */

import { openSharedLog } from '../../src/cli/serve/shared-log.ts'
import * as kvJobs from '../../src/engines/kv/jobs.ts'
import { LocalFileStore } from '../../src/fs/local-file-store.ts'
import { LocalHeadStore } from '../../src/fs/local-head-store.ts'
import { FileService } from '../../src/fs/remote/file-service.ts'
import { HeadService } from '../../src/fs/remote/head-service.ts'
import { RemoteFileStore } from '../../src/fs/remote/remote-file-store.ts'
import { HandlerTable } from '../../src/jobs/handler-table.ts'
import { InlineScheduler } from '../../src/jobs/inline-scheduler.ts'
import { JobBroker } from '../../src/jobs/remote/job-broker.ts'
import { JobService, WorkerService } from '../../src/jobs/remote/job-service.ts'
import { JobWorker } from '../../src/jobs/remote/job-worker.ts'
import { LocalJournalSystem } from '../../src/journal/local-journal-system.ts'
import { RenewedSharedJournal } from '../../src/journal/renewed-shared-journal.ts'
import { JournalService } from '../../src/journal/remote/journal-service.ts'
import { loadHash } from '../../src/kernel/hash.ts'
import { KIB } from '../../src/kernel/limits.ts'
import { RpcClient } from '../../src/rpc/client.ts'
import type { RpcService } from '../../src/rpc/rpc.ts'
import { RpcServer } from '../../src/rpc/server.ts'
import { SeededRandom } from '../../src/testing/seeded-random.ts'
import type { Life } from './machine.ts'

export const hash = await loadHash()

export const handlers = new HandlerTable({ 'varve/kv/jobs': kvJobs })

export const JOURNAL = 'journal'
export const FILES = 'files'
export const BROKER = 'broker'

const JOURNAL_SETTINGS = { segmentBytes: 8192, preallocateBytes: 1024 }

/** Chance of one process. */
export function randomOf({ process }: Life, seed: number): SeededRandom {
  return new SeededRandom(seed * 1000 + process.id)
}

export function clientOf(life: Life, machine: string, random: SeededRandom): RpcClient {
  return new RpcClient({ dial: life.place.dial(machine), clock: life.process, hash, random })
}

export async function serveJournal(life: Life, random: SeededRandom): Promise<void> {
  const { device, process } = life
  const journals = new LocalJournalSystem({ device, directory: 'journal', hash, random, settings: JOURNAL_SETTINGS })
  serve(life, [new JournalService({ journals, clock: process })])
  await Promise.resolve()
}

/** One log for all shards, as `varve serve` has it. */
export async function serveSharedJournal(life: Life, random: SeededRandom): Promise<void> {
  const { device, process } = life
  const heads = await LocalHeadStore.open({ device, directory: 'state', hash, random })
  await heads.removeLeftovers()
  const local = new LocalJournalSystem({ device, directory: 'log', hash, random, settings: JOURNAL_SETTINGS })
  const journals = await RenewedSharedJournal.open(() => openSharedLog(heads, local), { reclaimBytes: 16 * KIB })
  serve(life, [new JournalService({ journals, clock: process })])
}

export async function serveFiles(life: Life, random: SeededRandom): Promise<void> {
  const { device, process } = life
  const files = await LocalFileStore.open({ device, directory: 'files', hash })
  const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random })
  await files.removeLeftovers()
  await heads.removeLeftovers()
  serve(life, [new FileService({ files, hash, clock: process }), new HeadService({ heads, clock: process })])
}

export async function serveJobs(life: Life, random: SeededRandom): Promise<void> {
  const broker = new JobBroker({ clock: life.process, random })
  serve(life, [new JobService({ broker }), new WorkerService({ broker })])
  await Promise.resolve()
}

export async function work(life: Life, random: SeededRandom): Promise<void> {
  const clock = life.process
  const files = new RemoteFileStore({ client: clientOf(life, FILES, random) })
  const jobs = new InlineScheduler({ files, hash, clock, handlers })
  // Ends where it is not wanted, which it always is.
  await new JobWorker({ client: clientOf(life, BROKER, random), jobs, clock }).ended
}

function serve({ place, process }: Life, services: readonly RpcService[]): void {
  const server = new RpcServer({ services, clock: process, hash })
  place.listen((wire) => server.accept(wire))
}
