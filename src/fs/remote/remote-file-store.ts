/**
 * A file store that is elsewhere: the client of `FileService`.
 *
 * Nothing of it is synchronous. What is open goes on when a connection is lost and another is made; reads, lists and removals
 * are made again. A file that was being written when its service was started anew is lost, and its writer says so.
 */

import { VarveError, throwIfAborted } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import { fileName } from '../../kernel/ids.ts'
import type { FileName } from '../../kernel/ids.ts'
import { nonce } from '../../kernel/random.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcReply } from '../../rpc/rpc.ts'
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
import { decodeFileList } from './file-list.ts'
import { FILE_SERVICE } from './file-service.ts'
import { RemoteFileReader, openOn } from './remote-file-reader.ts'
import { RemoteFileWriter } from './remote-file-writer.ts'

/** The connection over which the files are reached. */
export interface RemoteFileStoreOptions {
  /** Of a server with a `FileService`. Stays the caller's. */
  readonly client: RpcClient
}

// Of one removal: a name has 128 characters at the most, a message 1 MiB.
const NAMES_MAX = 4096

/** Files behind a service. Closing it closes what is open through it, not the client. */
export class RemoteFileStore implements FileStore {
  readonly name = 'remote'
  readonly supports: FileStoreSupport = Object.freeze({ syncRead: false, readNow: false })
  readonly #client: RpcClient
  readonly #pending: PendingBytes
  readonly #writers = new Set<RemoteFileWriter>()
  readonly #readers = new Set<RemoteFileReader>()
  /** Calls that may yet open something. */
  readonly #opening = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  constructor({ client }: RemoteFileStoreOptions) {
    this.#client = client
    this.#pending = new PendingBytes(client.settings.inFlightBytesMax)
  }

  async create(name: FileName, options: CreateOptions = {}): Promise<FileWriter> {
    this.#check(options)
    const checked = fileName(name)
    const { signal, expectedBytes } = options
    return this.#opens(async () => {
      const [client, key] = [this.#client, this.#key(checked)]
      // Again on another connection: the service knows it by its key.
      await client.call({ service: FILE_SERVICE, method: 'create', parameters: [key, checked, expectedBytes], signal })
      const writer = new RemoteFileWriter(checked, { client, key, pending: this.#pending, signal })
      return this.#keep(writer, this.#writers, () => writer.end())
    })
  }

  async open(ref: FileRef, options: OpenOptions = {}): Promise<FileReader> {
    this.#check(options)
    fileName(ref.name)
    const { signal, intent = 'point' } = options
    return this.#opens(async () => {
      const opening = { key: this.#key(ref.name), ref, intent }
      const connection = await this.#client.retry({ signal }, async (found) => openOn(found, opening, signal))
      const reader = new RemoteFileReader(this.#client, opening, connection)
      return this.#keep(reader, this.#readers, () => reader.close())
    })
  }

  openSync(ref: FileRef): FileReader {
    this.#check({})
    throw new VarveError('WOULD_BLOCK', `${ref.name} cannot be opened synchronously`)
  }

  async list(prefix = '', options: AbortOptions = {}): Promise<readonly FileInfo[]> {
    return decodeFileList((await this.#call('list', [prefix], options)).body)
  }

  async remove(names: readonly FileName[], options: AbortOptions = {}): Promise<void> {
    this.#check(options)
    names.forEach(fileName)
    // What is not there is no error: doing it twice does no harm.
    for (let start = 0; start < names.length; start += NAMES_MAX)
      await this.#call('remove', [names.slice(start, start + NAMES_MAX)], options)
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

  async freeBytes(): Promise<number | undefined> {
    return (await this.#call('freeBytes', [], {})).value as number | undefined
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

  async #call(method: string, parameters: readonly unknown[], options: AbortOptions): Promise<RpcReply> {
    this.#check(options)
    const { signal } = options
    const reply = await this.#client.call({ service: FILE_SERVICE, method, parameters, signal })
    this.#check({})
    return reply
  }

  async #opens<T>(open: () => Promise<T>): Promise<T> {
    const opening = open()
    this.#opening.add(opening)
    try {
      return await opening
    } finally {
      this.#opening.delete(opening)
    }
  }

  /** Of what is opened, at the service: nobody else knows it. */
  #key(name: FileName): string {
    const { random } = this.#client
    return `${name}/${nonce(random)}${nonce(random)}`
  }

  /** Remembers what is open, as long as it is; or ends it, where the store has been closed meanwhile. */
  async #keep<T extends RemoteFileWriter | RemoteFileReader>(
    one: T,
    all: Set<T>,
    end: () => Promise<void>,
  ): Promise<T> {
    if (this.#closing === undefined) {
      all.add(one)
      return one
    }
    await end()
    throw closed()
  }

  #check({ signal }: AbortOptions): void {
    if (this.#closing !== undefined) throw closed()
    throwIfAborted(signal)
  }
}

function closed(): VarveError {
  return new VarveError('CLOSED', 'the file store is closed')
}
