/**
 * The local composition: every component a shard needs, on one directory of this machine, whatever its engine.
 * What is where in it: local-layout.ts.
 */

import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { VarveError, isCode } from './kernel/errors.ts'
import { closeEach } from './kernel/close-each.ts'
import type { DecodeThread } from './kernel/decode-thread.ts'
import type { Lz4 } from './kernel/lz4.ts'
import { LocalFileStore } from './fs/local-file-store.ts'
import { LocalHeadStore } from './fs/local-head-store.ts'
import { LocalReserve, RESERVE_BYTES_DEFAULT, RESERVE_NAME } from './fs/local-reserve.ts'
import { NodeDevice } from './fs/node-device.ts'
import { refuseNoDirectory } from './fs/node-other-thing.ts'
import { LocalJournalSystem } from './journal/local-journal-system.ts'
import { HandlerTable } from './jobs/handler-table.ts'
import { InlineScheduler } from './jobs/inline-scheduler.ts'
import type { InlineSchedulerOptions } from './jobs/inline-scheduler.ts'
import type { JobScheduler } from './jobs/jobs.ts'
import { WorkerScheduler } from './jobs/worker-scheduler.ts'
import { loadNative } from './native/load-native.ts'
import { openNativeDecodeThread } from './native/native-decode-thread.ts'
import { NativeFileCalls } from './native/native-file-calls.ts'
import { openNativeLz4 } from './native/native-lz4.ts'
import type { ShardComponents } from './shard/shard.ts'
import { lockDirectory } from './local-lock.ts'
import { checkLocalComponents } from './local-options.ts'
import type { LocalComponentsOptions } from './local-options.ts'
import { directoryThreads, openHash } from './local-worker.ts'
import { encryptHeads, keepKeys, workerWrappers, wrapFiles } from './local-wrappers.ts'
import { SystemClock } from './system-clock.ts'
import { SystemRandom } from './system-random.ts'
import { FILES, HEADS, JOURNAL, MAIN_SHARD, SHARD_FOLDERS, refuseUnfinished, requirePathRoom } from './local-layout.ts'

// What a worker thread begins with, and what it is made of.
const WORKER_URL = new URL('./jobs/worker-main.js', import.meta.url)
const COMPOSITION_URL = new URL('./local-worker.js', import.meta.url)

/** The parts of a shard on one directory. Several shards may share them; `close` ends all. */
export interface LocalComponents extends ShardComponents {
  /** Of the addon, where there is one. */
  readonly lz4: Lz4 | undefined
  /** Of the addon, where there is one: a thread that decodes blocks. */
  readonly decoding: DecodeThread | undefined
  /** Closes all of them, after the shards over them. */
  close(): Promise<void>
}

/**
 * Locks `directory` and opens what shards on it are made of. The shard is called `main`; others in the same directory,
 * such as clones, open over `{ ...components, shard }`.
 *
 * @throws {VarveError} LOCKED — another live process (or this one) has it open, or makes it
 * @throws {VarveError} NOT_FOUND — it is not there and `create` is false, or it is to be opened read-only
 * @throws {VarveError} HEAD_CORRUPT — it is a part of a checkpoint or repair that did not end
 * @throws {VarveError} LIMIT_EXCEEDED — its path is so long that those of its files would not fit
 * @throws {VarveError} UNSUPPORTED — a module of the worker threads is not there, as in a bundle
 * @throws {VarveError} PERMISSION_DENIED, READ_ONLY, IO_FAILED
 */
export async function localComponents(
  directory: string,
  options: LocalComponentsOptions = {},
): Promise<LocalComponents> {
  checkLocalComponents(directory, options)
  // Both as they are now: the process may go to another directory meanwhile, and whoever called may overwrite the keys.
  const [root, kept] = [resolve(directory), keepKeys(options)]
  const readOnly = options.readOnly === true
  if (!readOnly) requirePathRoom(root)
  if (options.jobs !== 'inline' && !readOnly) checkModules(options)
  const native = loadNative()
  const [clock, random] = [new SystemClock(), new SystemRandom()]
  const calls = native === undefined ? undefined : new NativeFileCalls(native, root, clock)
  const device = new NodeDevice(root, { readOnly, ...(calls === undefined ? {} : { calls }) })
  await refuseUnfinished(device, directory)
  if (readOnly || options.create === false) await requireDirectory(device, directory)
  else await device.makeDirectory('.')
  const hash = await openHash()
  const lock = readOnly ? undefined : await lockDirectory(device, directory, random)
  try {
    const reserve = readOnly ? undefined : await openReserve(device, options.reserveBytes ?? RESERVE_BYTES_DEFAULT)
    const stores = [
      LocalFileStore.open({ device, directory: FILES, hash, readOnly }).then((store) => tidied(store, readOnly)),
      LocalHeadStore.open({ device, directory: HEADS, hash, random, readOnly }).then((store) =>
        tidied(store, readOnly),
      ),
      lock === undefined ? Promise.resolve() : lock.removeLeftovers(),
    ] as const
    // What one is at when the other fails is not left under way without the lock.
    await Promise.allSettled(stores)
    const [localFiles, localHeads] = await Promise.all(stores)
    const files = await wrapFiles(localFiles, kept, { hash, clock })
    const heads = encryptHeads(localHeads, kept.encryption, random, hash)
    const journal = new LocalJournalSystem({ device, directory: JOURNAL, hash, random, clock })
    const lz4 = openNativeLz4()
    const decoding = openNativeDecodeThread()
    const jobs = scheduler(root, { files, hash, clock, lz4 }, kept)
    // The lock is let go whatever else fails: this process would keep everybody out, itself included, until its end.
    const close = (): Promise<void> =>
      closeEach([
        () => jobs.close(),
        () => decoding?.close(),
        () => files.close(),
        () => reserve?.close(),
        () => lock?.release(),
        () => calls?.close(),
      ])
    const parts = {
      shard: MAIN_SHARD,
      location: directory,
      files,
      heads,
      journal,
      jobs,
      clock,
      random,
      hash,
      lz4,
      decoding,
      close,
    }
    return reserve === undefined ? parts : { ...parts, reserve }
  } catch (error) {
    await closeEach([() => lock?.release(), () => calls?.close()]).catch(() => undefined)
    throw error
  }
}

async function tidied<Store extends { removeLeftovers(): Promise<void> }>(
  store: Store,
  readOnly: boolean,
): Promise<Store> {
  if (!readOnly) await store.removeLeftovers()
  return store
}

/** Undefined where there is to be none. */
async function openReserve(device: NodeDevice, bytesMax: number): Promise<LocalReserve | undefined> {
  const path = RESERVE_NAME
  if (bytesMax > 0) return LocalReserve.open({ device, path, bytesMax })
  if ((await device.stat(path)) !== undefined) await device.unlink(path)
  return undefined
}

function scheduler(
  directory: string,
  parts: Pick<InlineSchedulerOptions, 'files' | 'hash' | 'clock' | 'lz4'>,
  options: LocalComponentsOptions,
): JobScheduler {
  const named = Object.entries(options.handlers ?? {})
  if (options.jobs === 'inline') {
    const handlers = new HandlerTable(Object.fromEntries(named.map(([name, { module }]) => [name, module])))
    return new InlineScheduler({ ...parts, handlers })
  }
  const urls = Object.fromEntries(named.map(([name, { url }]) => [name, url.href]))
  return new WorkerScheduler({
    clock: parts.clock,
    composition: { ...directoryThreads(directory, urls), wrappers: workerWrappers(options) },
    workerUrl: options.workerUrl ?? WORKER_URL,
  })
}

/**
 * What a bundler left behind: every job would fail and be tried again, and writes wait for their flush, with no word of why.
 *
 * @throws {VarveError} UNSUPPORTED
 */
function checkModules({ workerUrl = WORKER_URL, handlers = {} }: LocalComponentsOptions): void {
  for (const url of [workerUrl, COMPOSITION_URL, ...Object.values(handlers).map((each) => each.url)]) {
    if (url.protocol !== 'file:') continue
    const path = fileURLToPath(url)
    const folder = new NodeDevice(fileURLToPath(new URL('.', url)), { readOnly: true })
    if (folder.statSync(basename(path)) !== undefined) continue
    const remedy = "a bundle must leave varve out, as an external package, or open with jobs: 'inline'"
    throw new VarveError('UNSUPPORTED', `a module of the worker threads is not there, ${path}: ${remedy}`, {
      details: { capability: 'threads', path },
    })
  }
}

/** Of one that has nothing of a shard, nothing is made one. */
async function requireDirectory(device: NodeDevice, directory: string): Promise<void> {
  const details = { path: directory }
  const entries = await device.list('.').catch((error: unknown) => {
    if (!isCode(error, 'NOT_FOUND')) throw error
    throw new VarveError('NOT_FOUND', `there is no directory ${directory}`, { cause: error, details })
  })
  if (!entries.some(({ name }) => SHARD_FOLDERS.includes(name)))
    throw new VarveError('NOT_FOUND', `there is no shard in ${directory}`, { details })
  // To whoever only reads, they would be missing.
  for (const part of SHARD_FOLDERS) await refuseNoDirectory(join(device.root, part), part)
}
