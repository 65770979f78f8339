/** What worker threads of this package's compositions are made of; for the default one, a file store of their own on the same directory. */

import type { Clock } from './kernel/clock.ts'
import { loadHash } from './kernel/hash.ts'
import type { Hash } from './kernel/hash.ts'
import type { Lz4 } from './kernel/lz4.ts'
import { EncryptedFileStore } from './fs/encrypted-file-store.ts'
import type { FileStore } from './fs/fs.ts'
import { KeyRing } from './fs/key-ring.ts'
import type { EncryptionKey } from './fs/key-ring.ts'
import { LocalFileStore } from './fs/local-file-store.ts'
import { NodeDevice } from './fs/node-device.ts'
import type { ComponentReference, WorkerComposition } from './jobs/worker-protocol.ts'
import { loadNative } from './native/load-native.ts'
import { openNativeHash } from './native/native-hash.ts'
import { openNativeLz4 } from './native/native-lz4.ts'
import { SystemClock } from './system-clock.ts'
import { SystemRandom } from './system-random.ts'
import { FILES } from './local-layout.ts'

/** Threads of this machine over `files`, wherever these are. @param handlers URLs of modules, by the names that jobs call them */
export function threadsOver(files: ComponentReference, handlers: Readonly<Record<string, string>>): WorkerComposition {
  const module = import.meta.url
  return {
    files,
    clock: { module, export: 'openClock' },
    hash: { module, export: 'openHash' },
    lz4: { module, export: 'openLz4' },
    afterJob: { module, export: 'giveMemoryBack' },
    handlers,
  }
}

/** Those of a directory, in the layout of an embedded database. */
export function directoryThreads(directory: string, handlers: Readonly<Record<string, string>>): WorkerComposition {
  return threadsOver({ module: import.meta.url, export: 'openFiles', options: { directory } }, handlers)
}

export async function openFiles(options: unknown, parts: { readonly hash: Hash }): Promise<FileStore> {
  const { directory } = options as { readonly directory: string }
  return await LocalFileStore.open({ device: new NodeDevice(directory), directory: FILES, hash: parts.hash })
}

/** A wrapper of files, on the thread that owns the database as in its workers. */
export function encryptFiles(inner: FileStore, options: unknown, parts: { readonly hash: Hash }): FileStore {
  const { keys } = options as { readonly keys: readonly EncryptionKey[] }
  return new EncryptedFileStore(inner, { keys: new KeyRing(keys), random: new SystemRandom(), hash: parts.hash })
}

export function openClock(): Clock {
  return new SystemClock()
}

// It takes 5 to 8 ms where much has been freed, and jobs of a busy shard end several times a second.
const GIVE_BACK_INTERVAL_MS = 2000
const clock = new SystemClock()
let givenBackMs = -Infinity

/** Of what jobs have freed the allocator keeps up to 80 MiB of a process that compacts (docs/performance-notes.md). */
export function giveMemoryBack(): void {
  const nowMs = clock.monotonic()
  if (nowMs - givenBackMs < GIVE_BACK_INTERVAL_MS) return
  givenBackMs = nowMs
  loadNative()?.giveMemoryBack()
}

/** By the addon, where there is one. */
export async function openHash(): Promise<Hash> {
  return openNativeHash() ?? (await loadHash())
}

/** Undefined where there is no addon. */
export function openLz4(): Lz4 | undefined {
  return openNativeLz4()
}
