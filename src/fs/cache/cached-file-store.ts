/**
 * A slow file store with a disk cache in front of it.
 *
 * Files do not change, so what is in the cache is right as long as it is what was read; the cache sees to that. What is
 * read for compactions goes by it: it is read once.
 */

import { VarveError } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import type { FileName } from '../../kernel/ids.ts'
import type {
  AbortOptions,
  CreateOptions,
  FileInfo,
  FileReader,
  FileStore,
  FileStoreSupport,
  FileWriter,
  OpenOptions,
} from '../fs.ts'
import { CachedFileReader } from './cached-file-reader.ts'
import { CachedFileWriter } from './cached-file-writer.ts'
import { ChunkFetches } from './chunk-fetches.ts'
import type { DiskCache } from './disk-cache.ts'

/** What stands in front of the slow store. */
export interface CachedFileStoreOptions {
  /** Of this store only. Stays the caller's: closed after it. */
  readonly cache: DiskCache
}

/**
 * Reads what the cache has from there, and keeps what it had to fetch. Errors are those of the store behind: a cache
 * that fails is one that has nothing.
 */
export class CachedFileStore implements FileStore {
  readonly name: string
  readonly supports: FileStoreSupport = Object.freeze({ syncRead: false, readNow: false })
  readonly #inner: FileStore
  readonly #cache: DiskCache
  readonly #fetches: ChunkFetches
  readonly #readers = new Set<CachedFileReader>()
  #closed = false

  /** @param inner closed with this one */
  constructor(inner: FileStore, { cache }: CachedFileStoreOptions) {
    this.name = inner.name
    this.#inner = inner
    this.#cache = cache
    this.#fetches = new ChunkFetches(cache)
  }

  async create(name: FileName, options?: CreateOptions): Promise<FileWriter> {
    const writer = await this.#inner.create(name, options)
    return this.#cache.settings.keepsWritten ? new CachedFileWriter(writer, this.#cache) : writer
  }

  async open(ref: FileRef, options: OpenOptions = {}): Promise<FileReader> {
    const reader = await this.#inner.open(ref, options)
    const { intent = 'point' } = options
    const cached: CachedFileReader = new CachedFileReader(reader, {
      cache: this.#cache,
      fetches: this.#fetches,
      intent,
      done: () => void this.#readers.delete(cached),
    })
    this.#readers.add(cached)
    if (!this.#closed) return cached
    await cached.close()
    throw closed()
  }

  openSync(ref: FileRef): FileReader {
    if (this.#closed) throw closed()
    throw new VarveError('WOULD_BLOCK', `${ref.name} cannot be opened synchronously`)
  }

  list(prefix?: string, options?: AbortOptions): Promise<readonly FileInfo[]> {
    return this.#inner.list(prefix, options)
  }

  async remove(names: readonly FileName[], options?: AbortOptions): Promise<void> {
    await this.#inner.remove(names, options)
    for (const name of names) this.#cache.forget(name)
  }

  get pendingBytes(): number {
    return this.#inner.pendingBytes
  }

  get pendingBytesMax(): number {
    return this.#inner.pendingBytesMax
  }

  ready(): Promise<void> {
    return this.#inner.ready()
  }

  freeBytes(): Promise<number | undefined> {
    return this.#inner.freeBytes()
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(Array.from(this.#readers, (reader) => reader.close()))
    await this.#inner.close()
    await this.#cache.idle()
  }
}

function closed(): VarveError {
  return new VarveError('CLOSED', 'the file store is closed')
}
