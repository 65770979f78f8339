/**
 * The file store in a directory of a device.
 *
 * A file is written under a name nobody lists (`<name>.UNFINISHED`), synced, linked to its own name, which fails where that
 * is taken, and the directory is synced: content before name, name before anyone hears of it.
 *
 * It knows the names that are there, not those that were: a removed name could be used again. Its users do not (names
 * carry epoch and attempt).
 */

import { VarveError, isCode, throwIfAborted } from '../kernel/errors.ts'
import { closeEach } from '../kernel/close-each.ts'
import type { Device, DeviceFile } from '../kernel/device.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { Hash } from '../kernel/hash.ts'
import { fileName } from '../kernel/ids.ts'
import type { FileName } from '../kernel/ids.ts'
import { MIB } from '../kernel/limits.ts'
import { joinPath } from './device-path.ts'
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
import { LocalFileReader } from './local-file-reader.ts'
import { LocalFileWriter, UNFINISHED_SUFFIX } from './local-file-writer.ts'
import { nameTaken } from './name-taken.ts'
import { NodeDevice } from './node-device.ts'
import { PendingBytes } from './pending-bytes.ts'

// A write per worker of a few MiB each; what is over only waits.
const PENDING_BYTES_MAX = 32 * MIB
// Enough to keep the thread pool of the system busy; a directory of 10,000 files is 10,000 stats.
const STATS_AT_ONCE = 64

/** Where the files are, and what they are read with. */
export interface LocalFileStoreOptions {
  /** The disk, or what stands for one. Whatever it cannot do synchronously the store cannot either. */
  readonly device: Device
  /** Where the files are; made where it is missing, unless `readOnly`. */
  readonly directory: string
  /** Checksums of the references that `finish` gives. */
  readonly hash: Hash
  /** Change nothing, not even what is missing. Default false. */
  readonly readOnly?: boolean
}

/** Files in a directory. Durable when `finish` has resolved: content, name and directory were synced. */
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
    // `openSync` takes both: one to look at the length, one to open.
    const { syncRead, syncWrite, readNow } = options.device.supports
    this.supports = Object.freeze({ syncRead: syncRead && syncWrite, readNow })
  }

  /** Makes the directory where it is missing, unless `readOnly`. Throws what the device throws. */
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
    const file = await this.#device
      .open(`${this.#path(name)}${UNFINISHED_SUFFIX}`, 'create')
      .catch((error: unknown) => {
        if (isCode(error, 'EXISTS')) throw nameTaken(name, error)
        throw isCode(error, 'NOT_FOUND') ? this.#gone(error) : error
      })
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
    if (this.#closing !== undefined) {
      await writer.abort()
      this.#checkOpen()
    }
    return writer
  }

  async open(ref: FileRef, options: OpenOptions = {}): Promise<FileReader> {
    this.#checkOpen()
    throwIfAborted(options.signal)
    try {
      const stat = await this.#device.stat(this.#path(ref.name))
      if (stat?.bytes !== ref.bytes) {
        // Where there is something, it may be no file: its length says nothing then.
        if (stat !== undefined) await (await this.#device.open(this.#path(ref.name), 'read')).close()
        throw fileMissing(ref, stat?.bytes)
      }
      const reader = this.#reader(ref, await this.#device.open(this.#path(ref.name), 'read'))
      if (this.#closing !== undefined) {
        await reader.close()
        this.#checkOpen()
      }
      return reader
    } catch (error) {
      throw missing(ref, error)
    }
  }

  openSync(ref: FileRef): FileReader {
    this.#checkOpen()
    if (!this.supports.syncRead) {
      throw new VarveError('WOULD_BLOCK', `${ref.name} cannot be opened synchronously on this device`)
    }
    try {
      const stat = this.#device.statSync(this.#path(ref.name))
      if (stat?.bytes !== ref.bytes) {
        if (stat !== undefined)
          void this.#device
            .openSync(this.#path(ref.name), 'read')
            .close()
            .catch(() => undefined)
        throw fileMissing(ref, stat?.bytes)
      }
      return this.#reader(ref, this.#device.openSync(this.#path(ref.name), 'read'))
    } catch (error) {
      throw missing(ref, error)
    }
  }

  async list(prefix = '', options: AbortOptions = {}): Promise<readonly FileInfo[]> {
    this.#checkOpen()
    const names: FileName[] = []
    for (const entry of await this.#device.list(this.#directory)) {
      if (!entry.directory && entry.name.startsWith(prefix) && isFileName(entry.name)) names.push(entry.name)
    }
    const found: FileInfo[] = []
    for (let start = 0; start < names.length; start += STATS_AT_ONCE) {
      throwIfAborted(options.signal)
      const infos = names.slice(start, start + STATS_AT_ONCE).map((name) => this.#info(name))
      for (const info of await Promise.all(infos)) if (info !== undefined) found.push(info)
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

  /**
   * Takes over finished files of another store by hard links: two names of the same bytes, either of which may be removed.
   * They are durable when this resolves. Nothing is read: what is damaged there is damaged here.
   *
   * @returns names of the files that could be linked: none across file systems, or from a store of another kind
   * @throws {VarveError} EXISTS — a name is taken here; FILE_MISSING — not there, or of another length; NO_SPACE
   */
  async adopt(refs: readonly FileRef[], source: FileStore): Promise<ReadonlySet<FileName>> {
    this.#checkOpen()
    const adopted = new Set<FileName>()
    if (!(source instanceof LocalFileStore)) return adopted
    for (const ref of refs) {
      if (!(await this.#link(ref, source))) break
      adopted.add(ref.name)
    }
    if (adopted.size > 0) await this.#device.syncDirectory(this.#directory)
    return adopted
  }

  get pendingBytes(): number {
    return this.#pending.bytes
  }

  get pendingBytesMax(): number {
    return this.#pending.bytesMax
  }

  async ready(): Promise<void> {
    this.#checkOpen()
    await this.#pending.ready()
  }

  async freeBytes(): Promise<number | undefined> {
    const { freeBytes } = await this.#device.space(this.#directory)
    return freeBytes
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** undefined where it has been removed. */
  async #info(name: FileName): Promise<FileInfo | undefined> {
    const stat = await this.#device.stat(this.#path(name))
    return stat === undefined ? undefined : { name, bytes: stat.bytes }
  }

  /** False where the devices cannot. */
  async #link(ref: FileRef, source: LocalFileStore): Promise<boolean> {
    const created = this.#path(ref.name)
    try {
      await linkAcross(source.#device, source.#path(ref.name), this.#device, created)
    } catch (error) {
      if (isCode(error, 'EXISTS')) throw nameTaken(ref.name, error)
      if (isCode(error, 'NOT_FOUND')) throw fileMissing(ref, undefined)
      // Another file system, one without links, or as many names as a file can have.
      if (isCode(error, 'UNSUPPORTED', 'IO_FAILED', 'PERMISSION_DENIED')) return false
      throw error
    }
    const stat = await this.#device.stat(created)
    if (stat?.bytes === ref.bytes) return true
    await this.#device.unlink(created).catch(() => undefined)
    throw fileMissing(ref, stat?.bytes)
  }

  async #close(): Promise<void> {
    const aborts = Array.from(this.#writers, (writer) => () => writer.abort())
    await closeEach([...aborts, ...Array.from(this.#readers, (reader) => () => reader.close())])
  }

  #reader(ref: FileRef, file: DeviceFile): FileReader {
    const reader: LocalFileReader = new LocalFileReader(ref, file, this.#device.supports, () =>
      this.#readers.delete(reader),
    )
    this.#readers.add(reader)
    return reader
  }

  /** Made again it would be empty, and hide that what was in it is missing. */
  #gone(cause: VarveError): VarveError {
    const path = this.#directory
    return new VarveError('NOT_FOUND', `the directory ${path} is gone: deleted, or renamed; put it back`, {
      details: { path, operation: 'create' },
      cause,
    })
  }

  #path(name: FileName): string {
    return joinPath(this.#directory, fileName(name))
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', 'the file store is closed')
  }
}

/** Gives the file at `existing` of one device a second name on another, where both are of the same file system. */
function linkAcross(source: Device, existing: string, target: Device, created: string): Promise<void> {
  if (source === target) return target.link(existing, created)
  if (source instanceof NodeDevice && target instanceof NodeDevice) return target.linkFrom(source, existing, created)
  return Promise.reject(new VarveError('UNSUPPORTED', 'files of these devices cannot be linked'))
}

/** What `error` of a look at the file of `ref` says: that there is none, or something else in its place. */
function missing(ref: FileRef, error: unknown): unknown {
  if (isCode(error, 'NOT_FOUND')) return fileMissing(ref, undefined)
  const other = isCode(error, 'PERMISSION_DENIED') && 'found' in error.details
  return other ? fileMissing(ref, undefined, ref.bytes, error) : error
}

/** False for what is unfinished, and for what somebody else has put into the directory. */
function isFileName(name: string): name is FileName {
  try {
    return fileName(name) === name
  } catch {
    return false
  }
}
