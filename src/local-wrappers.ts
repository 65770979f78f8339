/** What goes around the files and heads of a local composition, on this thread and in its workers. */

import type { Clock } from './kernel/clock.ts'
import type { Hash } from './kernel/hash.ts'
import type { Random } from './kernel/random.ts'
import { EncryptedHeadStore } from './fs/encrypted-head-store.ts'
import type { FileStore, HeadStore } from './fs/fs.ts'
import { KeyRing } from './fs/key-ring.ts'
import type { EncryptionKey } from './fs/key-ring.ts'
import type { ComponentReference, FileStoreWrapper } from './jobs/worker-protocol.ts'
import * as localWorker from './local-worker.ts'

/** What may be put around files and heads. */
export interface LocalWrapping {
  /** Encrypts tables, manifests and heads, but not the journal: docs/encryption.md. Default: nothing is encrypted. */
  readonly encryption?: LocalEncryption
  /** Put around the file store, innermost first, here and in every worker. Default: none. */
  readonly wrappers?: readonly LocalWrapper[]
}

/** Keys of a directory that is encrypted. They are copied at the call, and may be overwritten once it has returned its promise. */
export interface LocalEncryption {
  /** The first writes, all of them read. */
  readonly keys: readonly EncryptionKey[]
}

/** The same wrapper of file stores, for this thread and for workers, where objects cannot go. */
export interface LocalWrapper {
  /** What `import * as module` gives. */
  readonly module: Readonly<Record<string, unknown>>
  /** Where a worker finds it. */
  readonly url: URL
  /** Name of a `FileStoreWrapper` that it exports. */
  readonly export: string
  /** Structured-clonable; handed to the wrapper. */
  readonly options?: unknown
}

/** @throws {TypeError} {RangeError} what cannot be wrapped with, before anything is touched */
export function checkWrapping({ encryption, wrappers = [] }: LocalWrapping): void {
  if (encryption !== undefined) {
    const { keys }: { readonly keys?: unknown } = Object(encryption)
    if (!Array.isArray(keys)) throw new TypeError('encryption must have a list of keys')
    void new KeyRing(encryption.keys)
  }
  if (!Array.isArray(wrappers)) throw new TypeError('wrappers must be a list')
  for (const each of wrappers as readonly unknown[]) {
    const { module, url, export: name } = Object(each) as Partial<LocalWrapper>
    if (typeof module !== 'object' || typeof name !== 'string')
      throw new TypeError('each of wrappers must have a module and the name of its export')
    if (typeof module[name] !== 'function') throw new TypeError(`wrapper ${name} must be a function of its module`)
    if (!(url instanceof URL)) throw new TypeError(`wrapper ${name} must have the URL of its module`)
  }
}

/** `options` with keys of its own: whoever gave them may overwrite them before they are needed, as on a thread that begins later. */
export function keepKeys<Options extends Pick<LocalWrapping, 'encryption'>>(options: Options): Options {
  const { encryption } = options
  if (encryption === undefined) return options
  const keys = encryption.keys.map(({ id, secret }) => ({ id, secret: Uint8Array.from(secret) }))
  return { ...options, encryption: { keys } }
}

/** `inner` as this thread sees it. */
export async function wrapFiles(
  inner: FileStore,
  wrapping: LocalWrapping,
  basis: { readonly hash: Hash; readonly clock: Clock },
): Promise<FileStore> {
  let files = inner
  for (const { module, export: name, options } of wrappersOf(wrapping))
    files = await (module[name] as FileStoreWrapper)(files, options, basis)
  return files
}

/** The same for workers. */
export function workerWrappers(wrapping: LocalWrapping): readonly ComponentReference[] {
  return wrappersOf(wrapping).map(({ url, export: name, options }) => ({ module: url.href, export: name, options }))
}

/** Heads are the owner's business alone: workers see none. */
export function encryptHeads(
  heads: HeadStore,
  encryption: LocalEncryption | undefined,
  random: Random,
  hash: Hash,
): HeadStore {
  if (encryption === undefined) return heads
  return new EncryptedHeadStore(heads, { keys: new KeyRing(encryption.keys), random, hash })
}

/** Encryption first, innermost: a trace shows what callers ask for. */
function wrappersOf({ encryption, wrappers = [] }: LocalWrapping): readonly LocalWrapper[] {
  if (encryption === undefined) return wrappers
  const url = new URL('./local-worker.js', import.meta.url)
  return [{ module: localWorker, url, export: 'encryptFiles', options: encryption }, ...wrappers]
}
