/**
 * Files as objects of an S3-compatible store.
 *
 * A name is taken with a conditional write, so that of several who want it one gets it; `open` makes sure that the store
 * minds conditions. Nothing of it is synchronous, and nothing is asked for while nobody asks.
 *
 * An object that is deleted cannot be read on, as the port wants it of open readers: so what this store has open it
 * deletes when the last of its readers closes, and until then it does not show. Where that never comes, the file is left
 * over like any whose removal failed.
 */

import { VarveError, throwIfAborted } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import type { Hash } from '../../kernel/hash.ts'
import { fileName } from '../../kernel/ids.ts'
import type { FileName } from '../../kernel/ids.ts'
import { fileMissing } from '../file-missing.ts'
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
import { PendingBytes } from '../pending-bytes.ts'
import { objectState } from './conditional-write.ts'
import { removeLeftovers } from './leftovers.ts'
import { FILES, fileKey } from './object-keys.ts'
import { listObjects } from './object-list.ts'
import { removeObjects } from './object-removal.ts'
import { probeFiles } from './probe.ts'
import type { S3Client } from './s3-client.ts'
import { S3FileReader } from './s3-file-reader.ts'
import { S3FileWriter } from './s3-file-writer.ts'

/** What files in a bucket are made of. */
export interface S3FileStoreOptions {
  /** Stays the caller's. */
  readonly client: S3Client
  /** Checksums of the references that `finish` gives. */
  readonly hash: Hash
}

/** Files in a bucket. Durable when the store has answered. Closing it ends what it has open, not the client. */
export class S3FileStore implements FileStore {
  readonly name = 's3'
  readonly supports: FileStoreSupport = Object.freeze({ syncRead: false, readNow: false })
  readonly #client: S3Client
  readonly #hash: Hash
  readonly #pending: PendingBytes
  readonly #writers = new Set<S3FileWriter>()
  readonly #readers = new Set<S3FileReader>()
  /** Calls that may yet open something. */
  readonly #opening = new Set<Promise<unknown>>()
  readonly #readerCounts = new Map<FileName, number>()
  /** Removed, but still read. */
  readonly #removed = new Set<FileName>()
  #closing: Promise<void> | undefined

  private constructor({ client, hash }: S3FileStoreOptions) {
    this.#client = client
    this.#hash = hash
    this.#pending = new PendingBytes(client.settings.pendingBytesMax)
  }

  /**
   * Makes sure that the store is one that files can be kept in: it minds `If-None-Match`, also when two write at once,
   * and gives the ranges that are asked for. Takes about twenty requests.
   *
   * @throws {VarveError} UNSUPPORTED — it is not; details: capability
   * @throws {VarveError} IO_FAILED, PERMISSION_DENIED, NOT_FOUND (the bucket)
   */
  static async open(options: S3FileStoreOptions): Promise<S3FileStore> {
    await probeFiles(options.client)
    return new S3FileStore(options)
  }

  async create(name: FileName, options: CreateOptions = {}): Promise<FileWriter> {
    this.#check(options)
    const writer: S3FileWriter = new S3FileWriter(
      fileName(name),
      {
        client: this.#client,
        hash: this.#hash,
        pending: this.#pending,
        isTaken: (taken) => this.#removed.has(taken),
        done: () => void this.#writers.delete(writer),
      },
      options.expectedBytes,
    )
    this.#writers.add(writer)
    return Promise.resolve(writer)
  }

  async open(ref: FileRef, options: OpenOptions = {}): Promise<FileReader> {
    this.#check(options)
    const name = fileName(ref.name)
    // Counted before it is known to be there: a removal while it is being opened waits.
    this.#readerCounts.set(name, (this.#readerCounts.get(name) ?? 0) + 1)
    const opening = this.#open(ref, options.signal)
    this.#opening.add(opening)
    try {
      return await opening
    } catch (error) {
      await this.#letGo(name)
      throw error
    } finally {
      this.#opening.delete(opening)
    }
  }

  openSync(ref: FileRef): FileReader {
    this.#check({})
    throw new VarveError('WOULD_BLOCK', `${ref.name} cannot be opened synchronously`)
  }

  async list(prefix = '', options: AbortOptions = {}): Promise<readonly FileInfo[]> {
    this.#check(options)
    const { objects } = await listObjects(this.#client, FILES + prefix, options.signal)
    this.#check({})
    const found: FileInfo[] = []
    for (const { key, bytes } of objects) {
      const name = key.slice(FILES.length) as FileName
      // What others keep there is no file.
      if (isFileName(name) && !this.#removed.has(name)) found.push({ name, bytes })
    }
    return found
  }

  async remove(names: readonly FileName[], options: AbortOptions = {}): Promise<void> {
    this.#check(options)
    const gone = new Set(names.map(fileName))
    for (const name of gone) {
      if (!this.#readerCounts.has(name)) continue
      this.#removed.add(name)
      gone.delete(name)
    }
    await removeObjects(this.#client, [...gone].map(fileKey), options.signal)
  }

  /**
   * Removes what writers left who died: parts of uploads that were never completed, which cost as much as files and which
   * no list shows, claims of names, objects of probes. Only what is older than `olderThanMs` by the store's clock: what is
   * younger may be somebody's who lives.
   *
   * @returns how many were removed
   */
  removeLeftovers({ olderThanMs }: { readonly olderThanMs: number }): Promise<number> {
    this.#check({})
    return removeLeftovers(this.#client, olderThanMs)
  }

  get pendingBytes(): number {
    return this.#pending.bytes
  }

  get pendingBytesMax(): number {
    return this.#pending.bytesMax
  }

  async ready(): Promise<void> {
    this.#check({})
    await this.#pending.ready()
  }

  freeBytes(): Promise<number | undefined> {
    return Promise.resolve(undefined)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#opening)
    await Promise.allSettled([
      ...Array.from(this.#writers, (writer) => writer.end()),
      ...Array.from(this.#readers, (reader) => reader.close()),
    ])
  }

  async #open(ref: FileRef, signal: AbortSignal | undefined): Promise<FileReader> {
    const found = this.#removed.has(ref.name)
      ? undefined
      : await objectState(this.#client, fileKey(ref.name), { signal })
    this.#check({})
    if (found?.bytes !== ref.bytes) throw fileMissing(ref, found?.bytes)
    const reader: S3FileReader = new S3FileReader(this.#client, ref, async () => {
      this.#readers.delete(reader)
      await this.#letGo(ref.name)
    })
    this.#readers.add(reader)
    return reader
  }

  /** One reader less. What was removed meanwhile goes with the last; where that fails, it is left over. */
  async #letGo(name: FileName): Promise<void> {
    const count = (this.#readerCounts.get(name) ?? 1) - 1
    if (count > 0) {
      this.#readerCounts.set(name, count)
      return
    }
    this.#readerCounts.delete(name)
    if (!this.#removed.has(name)) return
    await removeObjects(this.#client, [fileKey(name)]).catch(() => undefined)
    // Nobody opened it meanwhile: it did not show.
    this.#removed.delete(name)
  }

  #check({ signal }: AbortOptions): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', 'the file store is closed')
    throwIfAborted(signal)
  }
}

function isFileName(name: string): boolean {
  try {
    fileName(name)
    return true
  } catch {
    return false
  }
}
