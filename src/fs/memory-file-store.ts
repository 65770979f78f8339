/** Files in memory, for tests and for shards that need not outlive the process. */

import { VarveError, throwIfAborted } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { Hash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import type { FileName } from '../kernel/ids.ts'
import { fileMissing } from './file-missing.ts'
import type {
  AbortOptions,
  CreateOptions,
  FileInfo,
  FileReader,
  FileStore,
  FileStoreSupport,
  FileWriter,
  OpenOptions,
} from './fs.ts'
import { MemoryFileReader } from './memory-file-reader.ts'
import { MemoryFileWriter } from './memory-file-writer.ts'
import { nameTaken } from './name-taken.ts'

/** What the store can do, for tests of those who use it. */
export interface MemoryFileStoreOptions {
  /** Checksums of the references that `finish` gives. */
  readonly hash: Hash
  /** `false`: behave like a store that is far away. Default true. */
  readonly syncRead?: boolean
  /** `true`: `readNow` reads, as it could. Default false: it knows of nothing, as with most disks. */
  readonly readNow?: boolean
}

/** Files in the memory of this process: they outlive `close`, not the object. */
export class MemoryFileStore implements FileStore {
  readonly name = 'memory'
  readonly supports: FileStoreSupport
  readonly #hash: Hash
  readonly #readNow: boolean
  readonly #files = new Map<FileName, Uint8Array>()
  /** Names are used once, ever. */
  readonly #used = new Set<FileName>()
  /** Of this opening: `close` ends them all at once. */
  #session = { open: true }

  constructor(options: MemoryFileStoreOptions) {
    this.#hash = options.hash
    this.#readNow = options.readNow === true
    this.supports = Object.freeze({ syncRead: options.syncRead !== false, readNow: this.#readNow })
  }

  async create(name: FileName, options: CreateOptions = {}): Promise<FileWriter> {
    this.#check(options)
    if (this.#used.has(fileName(name))) throw nameTaken(name)
    const session = this.#session
    const publish = (content: Uint8Array): void => {
      if (this.#used.has(name)) throw nameTaken(name)
      this.#used.add(name)
      this.#files.set(name, content)
    }
    return Promise.resolve(new MemoryFileWriter(name, this.#hash, session, publish))
  }

  async open(ref: FileRef, options: OpenOptions = {}): Promise<FileReader> {
    this.#check(options)
    return Promise.resolve(this.#open(ref))
  }

  openSync(ref: FileRef): FileReader {
    this.#check({})
    if (!this.supports.syncRead) throw new VarveError('WOULD_BLOCK', `${ref.name} cannot be opened synchronously`)
    return this.#open(ref)
  }

  async list(prefix = '', options: AbortOptions = {}): Promise<readonly FileInfo[]> {
    this.#check(options)
    const found: FileInfo[] = []
    for (const [name, content] of this.#files) if (name.startsWith(prefix)) found.push({ name, bytes: content.length })
    return Promise.resolve(found)
  }

  async remove(names: readonly FileName[], options: AbortOptions = {}): Promise<void> {
    this.#check(options)
    for (const name of names) this.#files.delete(fileName(name))
    return Promise.resolve()
  }

  /** Nothing waits: memory is the destination. */
  get pendingBytes(): number {
    return 0
  }

  get pendingBytesMax(): number {
    return Number.MAX_SAFE_INTEGER
  }

  async ready(): Promise<void> {
    this.#check({})
    return Promise.resolve()
  }

  freeBytes(): Promise<number | undefined> {
    return Promise.resolve(undefined)
  }

  close(): Promise<void> {
    this.#session.open = false
    return Promise.resolve()
  }

  /** Opens a closed store again, as a restart would: the files are still there; earlier readers and writers stay closed. */
  reopen(): void {
    if (!this.#session.open) this.#session = { open: true }
  }

  #open(ref: FileRef): FileReader {
    const content = this.#files.get(fileName(ref.name))
    if (content?.length !== ref.bytes) throw fileMissing(ref, content?.length)
    return new MemoryFileReader(
      ref,
      content,
      { syncRead: this.supports.syncRead, readNow: this.#readNow },
      this.#session,
    )
  }

  #check(options: AbortOptions): void {
    if (!this.#session.open) throw new VarveError('CLOSED', 'the file store is closed')
    throwIfAborted(options.signal)
  }
}
