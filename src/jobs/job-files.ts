/**
 * The file store as one job sees it: read anything, create under the output prefix, remove nothing.
 *
 * Remembers what the job created and opened, so that nothing stays unfinished or open after it, whatever its handler
 * forgot.
 */

import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
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
} from '../fs/fs.ts'

export class JobFiles implements FileStore {
  readonly #store: FileStore
  readonly #outputPrefix: string
  readonly #writers = new Map<FileName, FileWriter>()
  readonly #readers: FileReader[] = []

  constructor(store: FileStore, outputPrefix: string) {
    this.#store = store
    this.#outputPrefix = outputPrefix
  }

  get name(): string {
    return this.#store.name
  }

  get supports(): FileStoreSupport {
    return this.#store.supports
  }

  get pendingBytes(): number {
    return this.#store.pendingBytes
  }

  get pendingBytesMax(): number {
    return this.#store.pendingBytesMax
  }

  /** @throws {VarveError} PERMISSION_DENIED — outside the output prefix; otherwise as the store's own */
  async create(name: FileName, options?: CreateOptions): Promise<FileWriter> {
    if (!name.startsWith(this.#outputPrefix)) {
      throw new VarveError('PERMISSION_DENIED', `a job may create ${this.#outputPrefix}* only, not ${name}`, {
        details: { path: name },
      })
    }
    const writer = await this.#store.create(name, options)
    this.#writers.set(name, writer)
    return writer
  }

  async open(ref: FileRef, options?: OpenOptions): Promise<FileReader> {
    return this.#keep(await this.#store.open(ref, options))
  }

  openSync(ref: FileRef, options?: OpenOptions): FileReader {
    return this.#keep(this.#store.openSync(ref, options))
  }

  list(prefix?: string, options?: AbortOptions): Promise<readonly FileInfo[]> {
    return this.#store.list(prefix, options)
  }

  /** @throws {VarveError} PERMISSION_DENIED — only the owner of a shard deletes */
  async remove(names: readonly FileName[]): Promise<void> {
    throw new VarveError('PERMISSION_DENIED', 'a job removes no files', { details: { path: names.join(', ') } })
  }

  ready(): Promise<void> {
    return this.#store.ready()
  }

  freeBytes(): Promise<number | undefined> {
    return this.#store.freeBytes()
  }

  /** Gives up this view; the store stays open. Aborts writers that were not finished and closes readers. Idempotent. */
  async close(): Promise<void> {
    // Both do nothing where the handler did it. What fails here leaves at most an orphan, which the owner finds.
    await Promise.allSettled([
      ...Array.from(this.#writers.values(), (writer) => writer.abort()),
      ...this.#readers.map((reader) => reader.close()),
    ])
  }

  /** True when this job created `name`. */
  created(name: FileName): boolean {
    return this.#writers.has(name)
  }

  #keep(reader: FileReader): FileReader {
    this.#readers.push(reader)
    return reader
  }
}
