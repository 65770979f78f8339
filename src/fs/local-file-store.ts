/**
 * The file store in a directory of a device.
 *
 * A file is written under a name nobody lists (`<name>.UNFINISHED`), synced, linked to its own name, which fails where that is
 * taken, and the directory is synced: content before name, name before anyone hears of it.
 */

import { VarveError, isCode, throwIfAborted } from '../kernel/errors.ts'
import type { Device } from '../kernel/device.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { Hash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import type { FileName } from '../kernel/ids.ts'
import { MIB } from '../kernel/limits.ts'
import { joinPath } from './device-path.ts'
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
import { fileMissing, LocalFileReader } from './local-file-reader.ts'
import { LocalFileWriter, UNFINISHED_SUFFIX } from './local-file-writer.ts'
import { PendingBytes } from './pending-bytes.ts'

const PENDING_BYTES_MAX = 32 * MIB

export interface LocalFileStoreOptions {
  readonly device: Device
  /** Where the files are; made where it is missing, unless `readOnly`. */
  readonly directory: string
  readonly hash: Hash
  /** Change nothing, not even what is missing. Default false. */
  readonly readOnly?: boolean
}

export class LocalFileStore implements FileStore {
  readonly name = 'local'
  readonly supports: FileStoreSupport
  readonly #device: Device
  readonly #directory: string
  readonly #hash: Hash
  readonly #pending = new PendingBytes(PENDING_BYTES_MAX)
  readonly #writers = new Set<LocalFileWriter>()
  readonly #readers = new Set<LocalFileReader>()
  #closing: Promise<void> | undefined

  private constructor(options: LocalFileStoreOptions) {
    this.#device = options.device
    this.#directory = options.directory
    this.#hash = options.hash
    this.supports = Object.freeze({ syncRead: options.device.supports.syncRead })
  }

  static async open(options: LocalFileStoreOptions): Promise<LocalFileStore> {
    if (options.readOnly !== true) await options.device.makeDirectory(options.directory)
    return new LocalFileStore(options)
  }

  /** Removes what a crash left unfinished. Only the owner of the directory may, before anyone writes. */
  async removeLeftovers(): Promise<void> {
    for (const entry of await this.#device.list(this.#directory)) {
      if (entry.name.endsWith(UNFINISHED_SUFFIX)) await this.#device.unlink(joinPath(this.#directory, entry.name))
    }
  }

  async create(name: FileName, options: CreateOptions = {}): Promise<FileWriter> {
    this.#checkOpen()
    throwIfAborted(options.signal)
    if ((await this.#device.stat(this.#path(name))) !== undefined) throw nameTaken(name)
    const file = await this.#device.open(`${this.#path(name)}${UNFINISHED_SUFFIX}`, 'create')
    const writer: LocalFileWriter = new LocalFileWriter({
      name,
      file,
      device: this.#device,
      directory: this.#directory,
      content: this.#hash.stream64(0n),
      pending: this.#pending,
      done: () => this.#writers.delete(writer),
    })
    this.#writers.add(writer)
    return writer
  }

  async open(ref: FileRef, options: OpenOptions = {}): Promise<FileReader> {
    this.#checkOpen()
    throwIfAborted(options.signal)
    try {
      const stat = await this.#device.stat(this.#path(ref.name))
      if (stat?.bytes !== ref.bytes) throw fileMissing(ref, stat?.bytes)
      return this.#reader(ref, await this.#device.open(this.#path(ref.name), 'read'))
    } catch (error) {
      throw isCode(error, 'NOT_FOUND') ? fileMissing(ref, undefined) : error
    }
  }

  openSync(ref: FileRef): FileReader {
    this.#checkOpen()
    if (!this.supports.syncRead || !this.#device.supports.syncWrite) {
      throw new VarveError('WOULD_BLOCK', `${ref.name} cannot be opened synchronously on this device`)
    }
    try {
      const stat = this.#device.statSync(this.#path(ref.name))
      if (stat?.bytes !== ref.bytes) throw fileMissing(ref, stat?.bytes)
      return this.#reader(ref, this.#device.openSync(this.#path(ref.name), 'read'))
    } catch (error) {
      throw isCode(error, 'NOT_FOUND') ? fileMissing(ref, undefined) : error
    }
  }

  async list(prefix = '', options: AbortOptions = {}): Promise<readonly FileInfo[]> {
    this.#checkOpen()
    const found: FileInfo[] = []
    for (const entry of await this.#device.list(this.#directory)) {
      throwIfAborted(options.signal)
      if (entry.directory || entry.name.endsWith(UNFINISHED_SUFFIX) || !entry.name.startsWith(prefix)) continue
      const stat = await this.#device.stat(joinPath(this.#directory, entry.name))
      if (stat !== undefined) found.push({ name: fileName(entry.name), bytes: stat.bytes })
    }
    return found
  }

  async remove(names: readonly FileName[], options: AbortOptions = {}): Promise<void> {
    this.#checkOpen()
    for (const name of names) {
      throwIfAborted(options.signal)
      await this.#device.unlink(this.#path(name)).catch((error: unknown) => {
        if (!isCode(error, 'NOT_FOUND')) throw error
      })
    }
  }

  get pendingBytes(): number {
    return this.#pending.bytes
  }

  get pendingBytesMax(): number {
    return this.#pending.bytesMax
  }

  ready(): Promise<void> {
    return this.#pending.ready()
  }

  async freeBytes(): Promise<number | undefined> {
    const { freeBytes } = await this.#device.space(this.#directory)
    return freeBytes
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#writers].map((writer) => writer.abort()))
    await Promise.all([...this.#readers].map((reader) => reader.close()))
  }

  #reader(ref: FileRef, file: Awaited<ReturnType<Device['open']>>): FileReader {
    const reader: LocalFileReader = new LocalFileReader(ref, file, this.supports.syncRead, () =>
      this.#readers.delete(reader),
    )
    this.#readers.add(reader)
    return reader
  }

  #path(name: FileName): string {
    return joinPath(this.#directory, fileName(name))
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', 'the file store is closed')
  }
}

function nameTaken(name: FileName): VarveError {
  return new VarveError('EXISTS', `the file name ${name} has been used`, { details: { name } })
}
