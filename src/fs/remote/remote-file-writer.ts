/**
 * A file being written elsewhere, over one connection: when that is lost, so is what has been written.
 *
 * The checksum is computed here as well, over what was handed in. It tells whether the store has what was sent; and where
 * the answer to `finish` is lost, it is what is looked for.
 */

import { assert } from '../../kernel/assert.ts'
import { VarveError, isCode } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import { formatHash64 } from '../../kernel/hash.ts'
import type { HashStream } from '../../kernel/hash.ts'
import type { FileName } from '../../kernel/ids.ts'
import { MIB } from '../../kernel/limits.ts'
import { isUnanswered } from '../../rpc/call-error.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcConnection } from '../../rpc/rpc.ts'
import type { FileWriter } from '../fs.ts'
import type { PendingBytes } from '../pending-bytes.ts'
import { FILE_SERVICE } from './file-service.ts'

// Of one call.
const WRITE_BYTES_MAX = 1 * MIB

export interface RemoteWriterBasis {
  readonly client: RpcClient
  readonly connection: RpcConnection
  /** What the server calls it. */
  readonly id: number
  readonly pending: PendingBytes
}

export class RemoteFileWriter implements FileWriter {
  readonly name: FileName
  readonly #basis: RemoteWriterBasis
  readonly #stream: HashStream
  #bytes = 0
  #writing = false
  #state: 'open' | 'finishing' | 'finished' | 'failed' | 'aborted' = 'open'
  #finishing: Promise<FileRef> | undefined

  constructor(name: FileName, basis: RemoteWriterBasis) {
    this.name = name
    this.#basis = basis
    this.#stream = basis.client.hash.stream64(0n)
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#checkOpen()
    assert(!this.#writing, 'writes to one file overlap')
    this.#writing = true
    const { pending } = this.#basis
    this.#bytes += bytes.length
    this.#stream.update(bytes)
    pending.add(bytes.length)
    try {
      const pieces: Promise<unknown>[] = []
      for (let start = 0; start < bytes.length; start += WRITE_BYTES_MAX)
        pieces.push(this.#call('write', bytes.subarray(start, start + WRITE_BYTES_MAX)))
      await Promise.all(pieces)
    } catch (error) {
      // What was not written is missing in the middle.
      if (this.#state === 'open') this.#state = 'failed'
      throw error
    } finally {
      this.#writing = false
      pending.remove(bytes.length)
    }
  }

  async finish(): Promise<FileRef> {
    this.#checkOpen()
    assert(!this.#writing, 'finish while a write runs')
    this.#state = 'finishing'
    const checksum = formatHash64(this.#stream.digest())
    this.#finishing = this.#finish({ name: this.name, bytes: this.#bytes, checksum })
    try {
      const ref = await this.#finishing
      this.#state = 'finished'
      return ref
    } catch (error) {
      this.#state = 'failed'
      throw error
    }
  }

  /** After a `finish` whose outcome is unknown, the file may stay. */
  async abort(): Promise<void> {
    if (this.#state === 'open' || this.#state === 'failed') this.#state = 'aborted'
    if (this.#state !== 'aborted') return
    try {
      await this.#call('abort')
    } catch (error) {
      // Its end goes with the connection.
      if (!isUnanswered(error)) throw error
    }
  }

  /** The store closes: resolves when nothing of this file is under way any more. */
  async end(): Promise<void> {
    await this.#finishing?.catch(() => undefined)
    await this.abort()
  }

  async #finish(ref: FileRef): Promise<FileRef> {
    try {
      const { value } = await this.#call('finish')
      const [bytes, checksum] = value as [number, string]
      if (bytes === ref.bytes && checksum === ref.checksum) return ref
      throw new VarveError('IO_FAILED', `file ${this.name} is not what was sent: it has other bytes`, {
        details: { operation: 'finish', path: this.name },
      })
    } catch (error) {
      if (isCode(error, 'OUTCOME_UNKNOWN') && isUnanswered(error) && (await this.#isThere(ref))) return ref
      throw error
    }
  }

  /** Names are used once: a file of this name with this content is this one. Not being there proves nothing. */
  async #isThere({ name, bytes, checksum }: FileRef): Promise<boolean> {
    try {
      const call = { service: FILE_SERVICE, method: 'digest', parameters: [name, bytes, checksum] }
      return (await this.#basis.client.call(call)).value === checksum
    } catch {
      return false
    }
  }

  #call(method: 'write' | 'finish' | 'abort', body?: Uint8Array): Promise<{ readonly value: unknown }> {
    return this.#basis.connection.call({
      service: FILE_SERVICE,
      method,
      parameters: [this.#basis.id],
      // Only `finish` shows.
      ...(method === 'finish' ? { effect: true, timeoutMs: 0 } : {}),
      ...(body === undefined ? {} : { body }),
    })
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new VarveError('CLOSED', `the writer of ${this.name} is ${this.#state}`)
  }
}
