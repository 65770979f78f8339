/**
 * The files and heads of a shard as what runs behind it sees them: calls that are under way when `signal` aborts are given
 * up. A shard that is closed need not wait for stores that do not answer: its journal has what they lack.
 */

import { abortable } from '../kernel/abortable.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { FileName, ShardId } from '../kernel/ids.ts'
import type {
  AbortOptions,
  CreateOptions,
  FileInfo,
  FileReader,
  FileStore,
  FileStoreSupport,
  FileWriter,
  Head,
  HeadStore,
  HeadVersion,
  OpenOptions,
} from '../fs/fs.ts'
import { unaborted } from './closed.ts'

export class ImpatientFiles implements FileStore {
  readonly #files: FileStore
  readonly #signal: AbortSignal

  constructor(files: FileStore, signal: AbortSignal) {
    this.#files = files
    this.#signal = signal
  }

  get name(): string {
    return this.#files.name
  }

  get supports(): FileStoreSupport {
    return this.#files.supports
  }

  get pendingBytes(): number {
    return this.#files.pendingBytes
  }

  get pendingBytesMax(): number {
    return this.#files.pendingBytesMax
  }

  create(name: FileName, options?: CreateOptions): Promise<FileWriter> {
    return this.#files.create(name, { signal: this.#signal, ...options })
  }

  open(ref: FileRef, options?: OpenOptions): Promise<FileReader> {
    return this.#files.open(ref, { signal: this.#signal, ...options })
  }

  openSync(ref: FileRef, options?: OpenOptions): FileReader {
    return this.#files.openSync(ref, options)
  }

  list(prefix?: string, options?: AbortOptions): Promise<readonly FileInfo[]> {
    return this.#files.list(prefix, { signal: this.#signal, ...options })
  }

  remove(names: readonly FileName[], options?: AbortOptions): Promise<void> {
    return this.#files.remove(names, { signal: this.#signal, ...options })
  }

  ready(): Promise<void> {
    return this.#files.ready()
  }

  freeBytes(): Promise<number | undefined> {
    return this.#files.freeBytes()
  }

  /** They are the caller's. */
  close(): Promise<void> {
    return this.#files.close()
  }
}

/** Not every store hears an abort once it has begun: a change that comes about later is still one of this owner's. */
export class ImpatientHeads implements HeadStore {
  readonly #heads: HeadStore
  readonly #signal: AbortSignal

  constructor(heads: HeadStore, signal: AbortSignal) {
    this.#heads = heads
    this.#signal = signal
  }

  get name(): string {
    return this.#heads.name
  }

  read(shard: ShardId, options?: AbortOptions): Promise<Head | undefined> {
    return this.#within(this.#heads.read(shard, { signal: this.#signal, ...options }))
  }

  compareAndSet(
    shard: ShardId,
    expected: HeadVersion | undefined,
    content: Uint8Array,
    options?: AbortOptions,
  ): Promise<HeadVersion> {
    return this.#within(this.#heads.compareAndSet(shard, expected, content, { signal: this.#signal, ...options }))
  }

  async #within<T>(work: Promise<T>): Promise<T> {
    try {
      return await abortable(work, this.#signal)
    } catch (error) {
      throw unaborted(error)
    }
  }
}
