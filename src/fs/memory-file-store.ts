/** Files in memory, for tests and for shards that need not outlive the process. */

import { concatBytes } from '../kernel/bytes.ts'
import { VarveError, throwIfAborted } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { formatHash64 } from '../kernel/hash.ts'
import type { Hash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import type { FileName } from '../kernel/ids.ts'
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
import { fileMissing } from './local-file-reader.ts'

export interface MemoryFileStoreOptions {
  readonly hash: Hash
  /** `false`: behave like a store that is far away. Default true. */
  readonly syncRead?: boolean
}

export class MemoryFileStore implements FileStore {
  readonly name = 'memory'
  readonly supports: FileStoreSupport
  readonly #hash: Hash
  readonly #files = new Map<FileName, Uint8Array>()
  /** Names are used once, ever. */
  readonly #used = new Set<FileName>()
  #closed = false

  constructor(options: MemoryFileStoreOptions) {
    this.#hash = options.hash
    this.supports = Object.freeze({ syncRead: options.syncRead !== false })
  }

  async create(name: FileName, options: CreateOptions = {}): Promise<FileWriter> {
    this.#check(options)
    if (this.#used.has(fileName(name))) throw nameTaken(name)
    return Promise.resolve(
      new MemoryFileWriter(name, this.#hash, (content) => {
        this.#check({})
        if (this.#used.has(name)) throw nameTaken(name)
        this.#used.add(name)
        this.#files.set(name, content)
      }),
    )
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
    for (const name of names) this.#files.delete(name)
    return Promise.resolve()
  }

  /** Nothing waits: memory is the destination. */
  get pendingBytes(): number {
    return 0
  }

  get pendingBytesMax(): number {
    return Number.MAX_SAFE_INTEGER
  }

  ready(): Promise<void> {
    return Promise.resolve()
  }

  freeBytes(): Promise<number | undefined> {
    return Promise.resolve(undefined)
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }

  /** Opens a closed store again, as a restart would: the files are still there. */
  reopen(): void {
    this.#closed = false
  }

  #open(ref: FileRef): FileReader {
    const content = this.#files.get(ref.name)
    if (content?.length !== ref.bytes) throw fileMissing(ref, content?.length)
    return new MemoryFileReader(ref, content, this.supports.syncRead, () => this.#check({}))
  }

  #check(options: AbortOptions): void {
    if (this.#closed) throw new VarveError('CLOSED', 'the file store is closed')
    throwIfAborted(options.signal)
  }
}

class MemoryFileWriter implements FileWriter {
  readonly name: FileName
  readonly #hash: Hash
  readonly #publish: (content: Uint8Array) => void
  readonly #parts: Uint8Array[] = []
  #bytes = 0
  #state: 'open' | 'finished' | 'aborted' = 'open'

  constructor(name: FileName, hash: Hash, publish: (content: Uint8Array) => void) {
    this.name = name
    this.#hash = hash
    this.#publish = publish
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen()
    this.#parts.push(bytes.slice())
    this.#bytes += bytes.length
    return Promise.resolve()
  }

  async finish(): Promise<FileRef> {
    this.#checkOpen()
    const content = concatBytes(this.#parts)
    this.#publish(content)
    this.#state = 'finished'
    return Promise.resolve({
      name: this.name,
      bytes: content.length,
      checksum: formatHash64(this.#hash.hash64(content, 0n)),
    })
  }

  abort(): Promise<void> {
    if (this.#state === 'open') this.#state = 'aborted'
    this.#parts.length = 0
    return Promise.resolve()
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new VarveError('CLOSED', `the writer of ${this.name} is ${this.#state}`)
  }
}

class MemoryFileReader implements FileReader {
  readonly ref: FileRef
  readonly #content: Uint8Array
  readonly #syncRead: boolean
  readonly #checkStore: () => void
  #closed = false

  constructor(ref: FileRef, content: Uint8Array, syncRead: boolean, checkStore: () => void) {
    this.ref = ref
    this.#content = content
    this.#syncRead = syncRead
    this.#checkStore = checkStore
  }

  async read(offset: number, length: number, options: AbortOptions = {}): Promise<Uint8Array> {
    throwIfAborted(options.signal)
    return Promise.resolve(this.#slice(offset, length))
  }

  readSync(offset: number, length: number): Uint8Array {
    if (!this.#syncRead) throw new VarveError('WOULD_BLOCK', `${this.ref.name} cannot be read synchronously`)
    return this.#slice(offset, length)
  }

  close(): Promise<void> {
    this.#closed = true
    return Promise.resolve()
  }

  #slice(offset: number, length: number): Uint8Array {
    this.#checkStore()
    if (this.#closed) throw new VarveError('CLOSED', `the reader of ${this.ref.name} is closed`)
    if (offset + length > this.#content.length) throw fileMissing(this.ref, undefined)
    return this.#content.slice(offset, offset + length)
  }
}

function nameTaken(name: FileName): VarveError {
  return new VarveError('EXISTS', `the file name ${name} has been used`, { details: { name } })
}
