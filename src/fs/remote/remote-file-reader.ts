/**
 * A file that is read elsewhere. The service holds it under a name that only this reader knows; one that was started anew
 * opens it again: files do not change.
 */

import { VarveError, throwIfAborted } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcConnection } from '../../rpc/rpc.ts'
import { checkRange } from '../file-missing.ts'
import type { FileReader, ReadIntent, ReadOptions } from '../fs.ts'
import { FILE_SERVICE, READ_BYTES_MAX } from './file-service.ts'

export interface RemoteOpening {
  /** What the service holds it under. */
  readonly key: string
  readonly ref: FileRef
  readonly intent: ReadIntent
}

export class RemoteFileReader implements FileReader {
  readonly ref: FileRef
  readonly #client: RpcClient
  readonly #opening: RemoteOpening
  /** Where it is open. */
  #place: Promise<RpcConnection>
  #connection: RpcConnection
  readonly #reading = new Set<Promise<unknown>>()
  #closing: Promise<void> | undefined

  /** @param connection where it has been opened */
  constructor(client: RpcClient, opening: RemoteOpening, connection: RpcConnection) {
    this.ref = opening.ref
    this.#client = client
    this.#opening = opening
    this.#place = Promise.resolve(connection)
    this.#connection = connection
  }

  async read(offset: number, length: number, options: ReadOptions = {}): Promise<Uint8Array> {
    this.#checkOpen()
    checkRange(this.ref, offset, length)
    throwIfAborted(options.signal)
    const reading = this.#read(offset, length, options.signal)
    this.#reading.add(reading)
    try {
      return await reading
    } finally {
      this.#reading.delete(reading)
    }
  }

  readSync(): Uint8Array {
    this.#checkOpen()
    throw new VarveError('WOULD_BLOCK', `${this.ref.name} cannot be read synchronously`)
  }

  /** Nothing is here. */
  readNow(offset: number, length: number): undefined {
    this.#checkOpen()
    checkRange(this.ref, offset, length)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#reading)
    try {
      const connection = await this.#place
      const call = { service: FILE_SERVICE, method: 'close', parameters: [this.#opening.key] }
      if (connection.alive) await connection.call(call)
    } catch {
      // The service closes what nobody comes back for.
    }
  }

  async #read(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (length <= READ_BYTES_MAX) return this.#readPiece(offset, length, signal)
    const whole = new Uint8Array(length)
    const pieces: Promise<void>[] = []
    for (let start = 0; start < length; start += READ_BYTES_MAX) {
      const size = Math.min(READ_BYTES_MAX, length - start)
      pieces.push(this.#readPiece(offset + start, size, signal).then((piece) => whole.set(piece, start)))
    }
    await Promise.all(pieces)
    return whole
  }

  async #readPiece(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { body } = await this.#client.retry({ signal }, async (connection, timeoutMs) => {
      await this.#on(connection)
      const parameters = [this.#opening.key, offset, length]
      return connection.call({ service: FILE_SERVICE, method: 'read', parameters, signal, timeoutMs })
    })
    if (body.length === length) return body
    throw new VarveError('IO_FAILED', `a read of ${this.ref.name} gave ${body.length} bytes instead of ${length}`, {
      details: { operation: 'read', path: this.ref.name },
    })
  }

  /** This file, open on `connection`. */
  #on(connection: RpcConnection): Promise<RpcConnection> {
    if (this.#connection !== connection) {
      this.#connection = connection
      this.#place = openOn(connection, this.#opening, undefined)
      // Whoever reads hears of it, and the next to read tries again.
      this.#place.catch(() => (this.#connection = NOWHERE))
    }
    return this.#place
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new VarveError('CLOSED', `the reader of ${this.ref.name} is closed`)
  }
}

const NOWHERE: RpcConnection = Object.freeze({
  alive: false,
  call: () => Promise.reject(new VarveError('CLOSED', 'there is no connection')),
})

export async function openOn(
  connection: RpcConnection,
  { key, ref: { name, bytes, checksum }, intent }: RemoteOpening,
  signal: AbortSignal | undefined,
): Promise<RpcConnection> {
  const parameters = [key, name, bytes, checksum, intent]
  await connection.call({ service: FILE_SERVICE, method: 'open', parameters, signal })
  return connection
}
