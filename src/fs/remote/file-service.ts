/**
 * A file store for others: the service behind `RemoteFileStore`.
 *
 * What a client has open ends with its connection: writers are aborted, readers closed. Whoever may only work on jobs may
 * create and read, and removes nothing. Who may touch certain shards only sees the files whose names begin with theirs.
 */

import { VarveError } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import { formatHash64 } from '../../kernel/hash.ts'
import type { Hash } from '../../kernel/hash.ts'
import { fileName } from '../../kernel/ids.ts'
import type { FileName } from '../../kernel/ids.ts'
import { MIB } from '../../kernel/limits.ts'
import { checkFileName, denied } from '../../rpc/access.ts'
import { Parameters } from '../../rpc/parameters.ts'
import type { Grant, Peer, RpcAnswer, RpcRequest, RpcService, RpcSession } from '../../rpc/rpc.ts'
import type { FileReader, FileStore, FileWriter } from '../fs.ts'
import { encodeFileList } from './file-list.ts'

export const FILE_SERVICE = 'files'
/** Of one read: a longer one takes several. */
export const READ_BYTES_MAX = 1 * MIB
/** Of one session. A client opens some thousands at the most, and a process has about as many descriptors. */
const OPEN_FILES_MAX = 8192

export interface FileServiceOptions {
  /** Stays the caller's. */
  readonly files: FileStore
  readonly hash: Hash
}

export class FileService implements RpcService {
  readonly name = FILE_SERVICE
  readonly roles = ['files', 'worker'] as const
  readonly #options: FileServiceOptions

  constructor(options: FileServiceOptions) {
    this.#options = options
  }

  openSession(peer: Peer): RpcSession {
    return new FileSession(this.#options, peer.grant)
  }
}

interface OpenWriter {
  readonly writer: FileWriter
  /** Of the last write: they come in order, and do not overlap below. */
  written: Promise<void>
}

class FileSession implements RpcSession {
  readonly #files: FileStore
  readonly #hash: Hash
  readonly #grant: Grant
  readonly #writers = new Map<number, OpenWriter>()
  readonly #readers = new Map<number, FileReader>()
  /** Calls that may yet open something. */
  readonly #opening = new Set<Promise<unknown>>()
  #idNext = 1
  #closed = false

  constructor({ files, hash }: FileServiceOptions, grant: Grant) {
    this.#files = files
    this.#hash = hash
    this.#grant = grant
  }

  async call(request: RpcRequest): Promise<RpcAnswer> {
    const given = new Parameters(request.parameters)
    const { body, signal } = request
    switch (request.method) {
      case 'create':
        return { value: await this.#opens(() => this.#create(this.#name(given), given.optionalCount(1), signal)) }
      case 'write':
        await this.#write(given.count(0), body)
        return {}
      case 'finish':
        return { value: await this.#finish(given.count(0)) }
      case 'abort':
        await this.#abort(given.count(0))
        return {}
      case 'open': {
        const intent = given.text(3) === 'stream' ? 'stream' : 'point'
        return { value: await this.#opens(() => this.#open(this.#ref(given), intent, signal)) }
      }
      case 'read':
        return { body: await this.#read(given.count(0), given.count(1), given.count(2), signal) }
      case 'close':
        await this.#close(given.count(0))
        return {}
      case 'digest':
        return { value: await this.#digest(this.#ref(given), signal) }
      case 'list': {
        const files = await this.#files.list(given.text(0), { signal })
        const { shards } = this.#grant
        const visible =
          shards === undefined
            ? files
            : files.filter(({ name }) => shards.some((shard) => name.startsWith(`${shard}.`)))
        return { body: encodeFileList(visible) }
      }
      case 'remove':
        await this.#remove(given.texts(0), signal)
        return {}
      case 'freeBytes':
        return { value: await this.#files.freeBytes() }
      default:
        throw new VarveError('UNSUPPORTED', `files have no ${request.method}`, {
          details: { capability: request.method },
        })
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#opening)
    await Promise.allSettled([
      ...Array.from(this.#writers.values(), async ({ writer, written }) => {
        await written.catch(() => undefined)
        await writer.abort()
      }),
      ...Array.from(this.#readers.values(), (reader) => reader.close()),
    ])
  }

  #name(given: Parameters): FileName {
    const name = fileName(given.text(0))
    checkFileName(this.#grant, name)
    return name
  }

  #ref(given: Parameters): FileRef {
    return { name: this.#name(given), bytes: given.count(1), checksum: given.text(2) }
  }

  async #opens<T>(open: () => Promise<T>): Promise<T> {
    if (this.#writers.size + this.#readers.size + this.#opening.size >= OPEN_FILES_MAX) {
      throw new VarveError('OUT_OF_FILES', `a connection has at most ${OPEN_FILES_MAX} files open`)
    }
    const opening = open()
    this.#opening.add(opening)
    try {
      return await opening
    } finally {
      this.#opening.delete(opening)
    }
  }

  async #create(name: FileName, expectedBytes: number | undefined, signal: AbortSignal): Promise<number> {
    const options = expectedBytes === undefined ? { signal } : { signal, expectedBytes }
    const writer = await this.#files.create(name, options)
    if (this.#closed) {
      await writer.abort()
      throw new VarveError('CLOSED', 'the caller has gone')
    }
    const id = this.#idNext++
    this.#writers.set(id, { writer, written: Promise.resolve() })
    return id
  }

  #write(id: number, bytes: Uint8Array): Promise<void> {
    const open = this.#writer(id)
    open.written = open.written.then(() => open.writer.write(bytes))
    open.written.catch(() => undefined)
    return open.written
  }

  async #finish(id: number): Promise<[bytes: number, checksum: string]> {
    const { writer, written } = this.#writer(id)
    await written
    const { bytes, checksum } = await writer.finish()
    this.#writers.delete(id)
    return [bytes, checksum]
  }

  async #abort(id: number): Promise<void> {
    const open = this.#writers.get(id)
    if (open === undefined) return
    this.#writers.delete(id)
    await open.written.catch(() => undefined)
    await open.writer.abort()
  }

  async #open(ref: FileRef, intent: 'point' | 'stream', signal: AbortSignal): Promise<number> {
    const reader = await this.#files.open(ref, { intent, signal })
    if (this.#closed) {
      await reader.close()
      throw new VarveError('CLOSED', 'the caller has gone')
    }
    const id = this.#idNext++
    this.#readers.set(id, reader)
    return id
  }

  #read(id: number, offset: number, length: number, signal: AbortSignal): Promise<Uint8Array> {
    const reader = this.#readers.get(id)
    if (reader === undefined) throw new VarveError('CLOSED', 'the reader is closed')
    if (length > READ_BYTES_MAX) throw new RangeError(`a read has at most ${READ_BYTES_MAX} bytes`)
    return reader.read(offset, length, { signal })
  }

  async #close(id: number): Promise<void> {
    const reader = this.#readers.get(id)
    this.#readers.delete(id)
    await reader?.close()
  }

  /** Checksum of what is there, read anew. */
  async #digest(ref: FileRef, signal: AbortSignal): Promise<string> {
    const reader = await this.#files.open(ref, { intent: 'stream', signal })
    try {
      const stream = this.#hash.stream64(0n)
      for (let offset = 0; offset < ref.bytes; offset += READ_BYTES_MAX)
        stream.update(await reader.read(offset, Math.min(READ_BYTES_MAX, ref.bytes - offset), { signal }))
      return formatHash64(stream.digest())
    } finally {
      await reader.close()
    }
  }

  async #remove(names: readonly string[], signal: AbortSignal): Promise<void> {
    if (!this.#grant.roles.includes('files')) throw denied(`${this.#grant.name} may not remove files`)
    for (const name of names) checkFileName(this.#grant, name)
    await this.#files.remove(names.map(fileName), { signal })
  }

  #writer(id: number): OpenWriter {
    const open = this.#writers.get(id)
    if (open === undefined) throw new VarveError('CLOSED', 'the writer is closed')
    return open
  }
}
