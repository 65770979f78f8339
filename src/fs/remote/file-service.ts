/**
 * A file store for others: the service behind `RemoteFileStore`.
 *
 * What a client has open outlives its connection for a while: it may come back. Then writers are aborted, readers closed.
 * Whoever may only work on jobs may create and read, and removes nothing. Who may touch certain shards only sees the files
 * whose names begin with theirs.
 */

import type { Clock } from '../../kernel/clock.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import { formatHash64 } from '../../kernel/hash.ts'
import type { Hash } from '../../kernel/hash.ts'
import { fileName } from '../../kernel/ids.ts'
import type { FileName } from '../../kernel/ids.ts'
import { MIB } from '../../kernel/limits.ts'
import { checkFileName, denied } from '../../rpc/access.ts'
import { HeldOpen } from '../../rpc/held-open.ts'
import { Parameters } from '../../rpc/parameters.ts'
import type { Grant, Peer, RpcAnswer, RpcRequest, RpcService, RpcSession } from '../../rpc/rpc.ts'
import type { FileReader, FileStore } from '../fs.ts'
import { encodeFileList } from './file-list.ts'
import { HostedWriter } from './hosted-writer.ts'
import type { Finished } from './hosted-writer.ts'

export const FILE_SERVICE = 'files'
/** Of one read: a longer one takes several. */
export const READ_BYTES_MAX = 1 * MIB
/** Of one session. A client opens some thousands at the most, and a process has about as many descriptors. */
const OPEN_FILES_MAX = 8192
// Twice as long as a client tries to come back.
const ABSENCE_MS_MAX = 60_000

/** What is offered, and to whom for how long. */
export interface FileServiceOptions {
  /** Stays the caller's. */
  readonly files: FileStore
  /** Checksums of the references that are handed out. */
  readonly hash: Hash
  /** Measures how long a client is away. */
  readonly clock: Clock
}

/** What all sessions share. */
interface FileHost extends FileServiceOptions {
  readonly writers: HeldOpen<HostedWriter>
  readonly readers: HeldOpen<FileReader>
}

/** Offers a file store to clients. What each has open is its own. */
export class FileService implements RpcService {
  /** As clients ask for it. */
  readonly name = FILE_SERVICE
  readonly roles = ['files', 'worker'] as const
  readonly #host: FileHost

  constructor(options: FileServiceOptions) {
    this.#host = {
      ...options,
      writers: new HeldOpen(options.clock, ABSENCE_MS_MAX, (writer: HostedWriter) => writer.abort()),
      readers: new HeldOpen(options.clock, ABSENCE_MS_MAX, (reader: FileReader) => reader.close()),
    }
  }

  openSession(peer: Peer): RpcSession {
    return new FileSession(this.#host, peer.grant)
  }

  /** Aborts writers and closes readers, after the server over it. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([this.#host.writers.close(), this.#host.readers.close()])
  }
}

class FileSession implements RpcSession {
  readonly #host: FileHost
  readonly #grant: Grant

  constructor(host: FileHost, grant: Grant) {
    this.#host = host
    this.#grant = grant
  }

  async call(request: RpcRequest): Promise<RpcAnswer> {
    const given = new Parameters(request.parameters)
    const { files } = this.#host
    // Its signal is not taken out: that makes one.
    const { body } = request
    switch (request.method) {
      case 'create':
        await this.#create(given.text(0), this.#name(given, 1), given.optionalCount(2))
        return {}
      case 'write':
        await (await this.#writer(given)).write(given.count(1), body)
        return {}
      case 'finish':
        return { value: await this.#finish(given) }
      case 'abort':
        await (await this.#host.writers.take(given.text(0)))?.abort()
        return {}
      case 'open': {
        const intent = given.text(4) === 'stream' ? 'stream' : 'point'
        await this.#open(given.text(0), this.#ref(given, 1), intent)
        return {}
      }
      case 'read':
        return { body: await this.#read(given, request.signal) }
      case 'close':
        await (await this.#host.readers.take(given.text(0)))?.close()
        return {}
      case 'digest':
        return { value: await this.#digest(this.#ref(given, 0), request.signal) }
      case 'list': {
        const found = await files.list(given.text(0), { signal: request.signal })
        const { shards } = this.#grant
        const visible =
          shards === undefined
            ? found
            : found.filter(({ name }) => shards.some((shard) => name.startsWith(`${shard}.`)))
        return { body: encodeFileList(visible) }
      }
      case 'remove':
        await this.#remove(given.texts(0), request.signal)
        return {}
      case 'freeBytes':
        return { value: await files.freeBytes() }
      default:
        throw new VarveError('UNSUPPORTED', `files have no ${request.method}`, {
          details: { capability: request.method },
        })
    }
  }

  close(): Promise<void> {
    this.#host.writers.leave(this)
    this.#host.readers.leave(this)
    return Promise.resolve()
  }

  #name(given: Parameters, index: number): FileName {
    const name = fileName(given.text(index))
    checkFileName(this.#grant, name)
    return name
  }

  #ref(given: Parameters, index: number): FileRef {
    return { name: this.#name(given, index), bytes: given.count(index + 1), checksum: given.text(index + 2) }
  }

  // Not aborted half-way because the connection has gone: its client comes back for it.
  async #create(key: string, name: FileName, expectedBytes: number | undefined): Promise<void> {
    this.#checkCount()
    const options = expectedBytes === undefined ? {} : { expectedBytes }
    const { files, writers } = this.#host
    await writers.open(keyOf(key, name), this, async () => new HostedWriter(await files.create(name, options)))
  }

  async #writer(given: Parameters): Promise<HostedWriter> {
    const writer = await this.#host.writers.use(given.text(0), this)
    if (writer !== undefined) return writer
    throw new VarveError('IO_FAILED', 'the service does not hold this file any more: what was written is lost', {
      details: { operation: 'write', lost: true },
    })
  }

  async #finish(given: Parameters): Promise<Finished> {
    const writer = await this.#writer(given)
    return writer.finish()
  }

  async #open(key: string, ref: FileRef, intent: 'point' | 'stream'): Promise<void> {
    this.#checkCount()
    const { files, readers } = this.#host
    await readers.open(keyOf(key, ref.name), this, () => files.open(ref, { intent }))
  }

  async #read(given: Parameters, signal: AbortSignal): Promise<Uint8Array> {
    const [offset, length] = [given.count(1), given.count(2)]
    if (length > READ_BYTES_MAX) throw new RangeError(`a read has at most ${READ_BYTES_MAX} bytes`)
    const reader = await this.#host.readers.use(given.text(0), this)
    if (reader === undefined) throw new VarveError('CLOSED', 'the reader is closed')
    return reader.read(offset, length, { signal })
  }

  /** Checksum of what is there, read anew. */
  async #digest(ref: FileRef, signal: AbortSignal): Promise<string> {
    const { files, hash } = this.#host
    const reader = await files.open(ref, { intent: 'stream', signal })
    try {
      const stream = hash.stream64(0n)
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
    await this.#host.files.remove(names.map(fileName), { signal })
  }

  #checkCount(): void {
    const { writers, readers } = this.#host
    if (writers.countOf(this) + readers.countOf(this) < OPEN_FILES_MAX) return
    throw new VarveError('OUT_OF_FILES', `a connection has at most ${OPEN_FILES_MAX} files open`)
  }
}

/** A name that nobody else knows: the client has drawn most of it. */
function keyOf(key: string, name: FileName): string {
  if (!key.startsWith(`${name}/`) || key.length > 256) throw new TypeError('that is no name of an open file')
  return key
}
