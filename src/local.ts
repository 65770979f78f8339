/**
 * The default composition: everything on one directory of this machine.
 *
 *      <directory>/lock       who has it open
 *      <directory>/heads/     the head
 *      <directory>/journal/   segments
 *      <directory>/files/     tables and manifests
 *
 * This file and the command are the only places that put components together.
 */

import { VarveError, isCode } from './kernel/errors.ts'
import { loadHash } from './kernel/hash.ts'
import type { Hash } from './kernel/hash.ts'
import { shardId } from './kernel/ids.ts'
import { DirectoryLock } from './fs/directory-lock.ts'
import { LocalFileStore } from './fs/local-file-store.ts'
import { LocalHeadStore } from './fs/local-head-store.ts'
import { NodeDevice } from './fs/node-device.ts'
import { NodeProcessTable } from './fs/node-process-table.ts'
import { LocalJournalSystem } from './journal/local-journal-system.ts'
import { HandlerTable } from './jobs/handler-table.ts'
import { InlineScheduler } from './jobs/inline-scheduler.ts'
import type { JobScheduler } from './jobs/jobs.ts'
import { WorkerScheduler } from './jobs/worker-scheduler.ts'
import * as kvJobs from './engines/kv/jobs.ts'
import type { KvOpenOptions } from './engines/kv/kv.ts'
import type { KvShard } from './engines/kv/kv-shard.ts'
import { openKv } from './engines/kv/open-kv.ts'
import type { KvComponents } from './engines/kv/open-kv.ts'
import { SystemClock } from './system-clock.ts'
import { SystemRandom } from './system-random.ts'

const KV_JOBS = 'varve/kv/jobs'

export interface LocalOptions {
  /** Where flushes and compactions run: on worker threads, or in slices on this one. Default `threads`. */
  readonly jobs?: 'threads' | 'inline'
  /** Entry module of the workers, for programs that are bundled. Default: the one in this package. */
  readonly workerUrl?: URL
}

export interface LocalOpenOptions extends KvOpenOptions, LocalOptions {}

/**
 * Opens the key-value shard in `directory`, which is made where it is missing.
 *
 * @throws {VarveError} LOCKED — another live process (or this one) has it open
 * @throws {VarveError} NOT_FOUND — it is not there and `createIfMissing` is false, or it is to be opened read-only
 * @throws {VarveError} PERMISSION_DENIED, READ_ONLY, and what `openKv` throws
 */
export async function open(directory: string, options: LocalOpenOptions = {}): Promise<KvShard> {
  const readOnly = options.readOnly === true
  const components = await localComponents(directory, {
    ...options,
    readOnly,
    create: options.createIfMissing !== false,
  })
  return openKv(components, options)
}

/** What `open` composes, for those who want to exchange a part. `close` closes all of it. */
export async function localComponents(
  directory: string,
  options: LocalOptions & { readonly readOnly?: boolean; readonly create?: boolean } = {},
): Promise<KvComponents> {
  checkOptions(directory, options)
  const readOnly = options.readOnly === true
  const device = new NodeDevice(directory, { readOnly })
  if (readOnly || options.create === false) await requireDirectory(device, directory)
  else await device.makeDirectory('.')
  const [clock, random, hash] = [new SystemClock(), new SystemRandom(), await loadHash()]
  const processes = new NodeProcessTable()
  const lock = readOnly ? undefined : await DirectoryLock.acquire({ device, directory: '.', processes, random })
  try {
    const files = await LocalFileStore.open({ device, directory: 'files', hash, readOnly })
    const heads = await LocalHeadStore.open({ device, directory: 'heads', hash, random, readOnly })
    if (!readOnly) {
      await files.removeLeftovers()
      await heads.removeLeftovers()
    }
    const journal = new LocalJournalSystem({ device, directory: 'journal', hash })
    const jobs = scheduler(directory, files, hash, clock, options)
    const close = async (): Promise<void> => {
      await jobs.close()
      await files.close()
      await lock?.release()
    }
    return { shard: shardId('main'), files, heads, journal, jobs, clock, random, hash, close }
  } catch (error) {
    await lock?.release()
    throw error
  }
}

function scheduler(
  directory: string,
  files: LocalFileStore,
  hash: Hash,
  clock: SystemClock,
  options: LocalOptions,
): JobScheduler {
  if (options.jobs === 'inline') {
    const handlers = new HandlerTable({ [KV_JOBS]: kvJobs })
    return new InlineScheduler({ files, hash, clock, handlers })
  }
  const module = new URL('./local-worker.js', import.meta.url).href
  return new WorkerScheduler({
    clock,
    composition: {
      files: { module, export: 'openFiles', options: { directory } },
      clock: { module, export: 'openClock' },
      handlers: { [KV_JOBS]: new URL('./engines/kv/jobs.js', import.meta.url).href },
    },
    ...(options.workerUrl === undefined ? {} : { workerUrl: options.workerUrl }),
  })
}

function checkOptions(directory: string, options: LocalOptions): void {
  if (typeof directory !== 'string' || directory === '') {
    throw new TypeError(`directory must be a path, got ${directory === '' ? 'an empty string' : typeof directory}`)
  }
  if (options.jobs !== undefined && options.jobs !== 'threads' && options.jobs !== 'inline') {
    throw new TypeError(`jobs must be 'threads' or 'inline', got ${String(options.jobs)}`)
  }
  if (options.workerUrl !== undefined && !(options.workerUrl instanceof URL))
    throw new TypeError('workerUrl must be a URL')
}

async function requireDirectory(device: NodeDevice, directory: string): Promise<void> {
  try {
    await device.list('.')
  } catch (error) {
    if (!isCode(error, 'NOT_FOUND')) throw error
    throw new VarveError('NOT_FOUND', `there is no directory ${directory}`, {
      cause: error,
      details: { path: directory },
    })
  }
}
