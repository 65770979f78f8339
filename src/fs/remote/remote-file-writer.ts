/**
 * A file being written elsewhere. The service holds it under a name that only this writer knows: on another connection it
 * goes on, and whatever was not answered is sent again. Only where the service was started anew what was written is lost.
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
import type { RpcCall } from '../../rpc/rpc.ts'
import type { FileWriter } from '../fs.ts'
import type { PendingBytes } from '../pending-bytes.ts'
import { FILE_SERVICE } from './file-service.ts'

// Of one call.
const WRITE_BYTES_MAX = 1 * MIB
// Whoever gives a file up does not want to wait long for a service that is not there.
const ABORT_MS_MAX = 5_000

export interface RemoteWriterBasis {
  readonly client: RpcClient
  /** What the service holds it under. */
  readonly key: string
  readonly pending: PendingBytes
  /** Of whoever created it: the file is not wanted any more. */
  readonly signal: AbortSignal | undefined
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
    const { client, pending, signal } = this.#basis
    const offset = this.#bytes
    this.#bytes += bytes.length
    this.#stream.update(bytes)
    pending.add(bytes.length)
    try {
      // All of it again, in order, on another connection: the service knows what it has.
      await client.retry({ signal }, async (connection, timeoutMs) => {
        const pieces: Promise<unknown>[] = []
        for (let start = 0; start < bytes.length; start += WRITE_BYTES_MAX) {
          const body = bytes.subarray(start, start + WRITE_BYTES_MAX)
          pieces.push(connection.call({ ...this.#callOf('write', [offset + start]), body, timeoutMs, signal }))
        }
        await settledAll(pieces)
      })
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
      await this.#basis.client.call({ ...this.#callOf('abort', []), timeoutMs: ABORT_MS_MAX })
    } catch (error) {
      // The service ends what nobody comes back for.
      if (!isUnanswered(error) && !isCode(error, 'CLOSED')) throw error
    }
  }

  /** The store closes: resolves when nothing of this file is under way any more. */
  async end(): Promise<void> {
    await this.#finishing?.catch(() => undefined)
    await this.abort()
  }

  async #finish(ref: FileRef): Promise<FileRef> {
    const { client, signal } = this.#basis
    let asked = 0
    try {
      const { value } = await client.retry({ signal }, (connection) => {
        const asking = connection.call({ ...this.#callOf('finish', []), timeoutMs: 0, signal })
        asked++
        return asking
      })
      // It need not be held any more; a service that does not hear of that forgets it by itself.
      client.call(this.#callOf('abort', [])).catch(() => undefined)
      const [bytes, checksum] = value as [number, string]
      if (bytes === ref.bytes && checksum === ref.checksum) return ref
      throw new VarveError('IO_FAILED', `file ${this.name} is not what was sent: it has other bytes`, {
        details: { operation: 'finish', path: this.name },
      })
    } catch (error) {
      // Asked, and not told: by a service that has gone, or one that has been started anew.
      const isLost = isCode(error, 'IO_FAILED') && error.details['lost'] === true
      if (isLost ? asked < 2 : asked === 0 || !isUnanswered(error)) throw error
      if (await this.#isThere(ref)) return ref
      throw new VarveError('OUTCOME_UNKNOWN', `file ${this.name} may or may not have been finished`, {
        details: { operation: 'finish', path: this.name },
        cause: error,
      })
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

  #callOf(method: 'write' | 'finish' | 'abort', parameters: readonly unknown[]): RpcCall {
    return { service: FILE_SERVICE, method, parameters: [this.#basis.key, ...parameters] }
  }

  #checkOpen(): void {
    if (this.#state !== 'open') throw new VarveError('CLOSED', `the writer of ${this.name} is ${this.#state}`)
  }
}

/** Rejects with the first failure, once nothing is under way any more: what was lent may be taken back then. */
async function settledAll(work: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(work)
  await Promise.all(work)
}
