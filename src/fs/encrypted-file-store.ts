/**
 * Files encrypted at rest, over any file store: AES-256-GCM in chunks, each file under a key of its own.
 *
 * Callers see plain files: their names, lengths, checksums and ranges. Below, names and approximate lengths are in the
 * clear; content is not, and no chunk can be changed, moved, cut off or taken from another file without notice. A file as
 * a whole cannot be replaced by an older one either: names are used once, and the reference has its checksum.
 *
 * Keys are told apart by identifier: the first of the ring writes, all read, so old files go on being read until
 * compactions have rewritten them (`keysInUse`).
 *
 * Spec: docs/formats/encrypted-file.md.
 */

import { isCode } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { Hash } from '../kernel/hash.ts'
import type { FileName } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import { EncryptedFileReader } from './encrypted-file-reader.ts'
import { EncryptedFileWriter } from './encrypted-file-writer.ts'
import { plainLength, storedLength } from './encrypted-layout.ts'
import { HEADER_BYTES, keyIdOf, newHeader, openHeader } from './encryption-header.ts'
import { fileCorrupt } from './file-corrupt.ts'
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
import type { KeyRing } from './key-ring.ts'

/** What encrypts and decrypts. */
export interface EncryptionOptions {
  /** The first key writes, all of them read. */
  readonly keys: KeyRing
  /** Makes salts: as unpredictable as `SystemRandom`. One that repeats itself gives the secrecy of equal content away. */
  readonly random: Random
  /** Checksums of the references that are handed out. */
  readonly hash: Hash
}

/**
 * A file store over another, whose files it encrypts. Reads and writes whole chunks below; what it hands out is the
 * caller's, as the port has it.
 */
export class EncryptedFileStore implements FileStore {
  readonly name: string
  readonly supports: FileStoreSupport
  readonly #inner: FileStore
  readonly #options: EncryptionOptions
  /** Writers keep up to a chunk to themselves, and must hear that the store was closed. */
  readonly #session = { open: true }

  /** @param inner closed with this one */
  constructor(inner: FileStore, options: EncryptionOptions) {
    this.name = `encrypted ${inner.name}`
    this.supports = inner.supports
    this.#inner = inner
    this.#options = options
  }

  async create(name: FileName, options: CreateOptions = {}): Promise<FileWriter> {
    const { expectedBytes } = options
    const hint = expectedBytes === undefined ? {} : { expectedBytes: storedLength(expectedBytes) }
    const writer = await this.#inner.create(name, { ...options, ...hint })
    const { keys, random, hash } = this.#options
    const { header, cipher } = newHeader('file', name, keys, random, hash)
    return new EncryptedFileWriter({ inner: writer, header, cipher, content: hash.stream64(0n), store: this.#session })
  }

  /**
   * @throws {VarveError} WRONG_KEY — its key was not given, or another under the same identifier
   * @throws {VarveError} FILE_CORRUPT — not the encrypted file of this name; INCOMPATIBLE
   */
  async open(ref: FileRef, options: OpenOptions = {}): Promise<FileReader> {
    const inner = await this.#inner.open(storedRef(ref), options).catch((error: unknown) => rethrowMissing(ref, error))
    try {
      return this.#reader(ref, inner, await inner.read(0, HEADER_BYTES, options))
    } catch (error) {
      await inner.close()
      throw error
    }
  }

  openSync(ref: FileRef, options?: OpenOptions): FileReader {
    let inner: FileReader
    try {
      inner = this.#inner.openSync(storedRef(ref), options)
    } catch (error) {
      return rethrowMissing(ref, error)
    }
    try {
      return this.#reader(ref, inner, inner.readSync(0, HEADER_BYTES))
    } catch (error) {
      void inner.close().catch(() => undefined)
      throw error
    }
  }

  async list(prefix?: string, options?: AbortOptions): Promise<readonly FileInfo[]> {
    const infos = await this.#inner.list(prefix, options)
    return infos.map(({ name, bytes }) => ({ name, bytes: plainLength(bytes) }))
  }

  /**
   * Which files are under which key, by the identifiers in their headers. A key may be thrown away when no file of any
   * shard is under it, and no head.
   */
  async keysInUse(prefix?: string, options?: AbortOptions): Promise<ReadonlyMap<string, readonly FileName[]>> {
    const byKey = new Map<string, FileName[]>()
    for (const { name, bytes } of await this.#inner.list(prefix, options)) {
      const reader = await this.#inner.open({ name, bytes, checksum: UNKNOWN_CHECKSUM }, options)
      try {
        const header = await reader.read(0, Math.min(bytes, HEADER_BYTES), options)
        const id = keyIdOf(header, 'file', name, this.#options.hash, (reason) => fileCorrupt(name, 0, 'header', reason))
        byKey.set(id, [...(byKey.get(id) ?? []), name])
      } finally {
        await reader.close()
      }
    }
    return byKey
  }

  remove(names: readonly FileName[], options?: AbortOptions): Promise<void> {
    return this.#inner.remove(names, options)
  }

  /** Without the last chunk of each writer, which waits for what comes after it. */
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

  close(): Promise<void> {
    this.#session.open = false
    return this.#inner.close()
  }

  #reader(ref: FileRef, inner: FileReader, header: Uint8Array): FileReader {
    const { keys, hash } = this.#options
    const corrupt = (reason: string) => fileCorrupt(ref.name, 0, 'header', reason)
    return new EncryptedFileReader(ref, inner, openHeader(header, 'file', ref.name, keys, hash, corrupt))
  }
}

/** Stores do not compare checksums on opening, and that of the stored bytes is nowhere: their tags say more. */
const UNKNOWN_CHECKSUM = '0'.repeat(16)

function storedRef({ name, bytes }: FileRef): FileRef {
  return { name, bytes: storedLength(bytes), checksum: UNKNOWN_CHECKSUM }
}

/** Lengths in errors are those that the caller knows. */
function rethrowMissing(ref: FileRef, error: unknown): never {
  if (!isCode(error, 'FILE_MISSING')) throw error
  const { found } = error.details
  throw fileMissing(ref, typeof found === 'number' ? plainLength(found) : undefined)
}
