/**
 * A file that is read elsewhere. The service holds it under a name that only this reader knows; one that was started anew
 * opens it again: files do not change.
 */

import { VarveError } from '../../kernel/errors.ts'
import type { FileRef } from '../../kernel/file-ref.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcConnection } from '../../rpc/rpc.ts'
import { DistantFileReader } from '../distant-file-reader.ts'
import type { ReadIntent, ReadOptions } from '../fs.ts'
import { readInPieces } from '../read-in-pieces.ts'
import { FILE_SERVICE, READ_BYTES_MAX } from './file-service.ts'

export interface RemoteOpening {
  /** What the service holds it under. */
  readonly key: string
  readonly ref: FileRef
  readonly intent: ReadIntent
}

export class RemoteFileReader extends DistantFileReader {
  readonly #client: RpcClient
  readonly #opening: RemoteOpening
  /** Where it is open. */
  #place: Promise<RpcConnection>
  #connection: RpcConnection

  /** @param connection where it has been opened */
  constructor(client: RpcClient, opening: RemoteOpening, connection: RpcConnection) {
    super(opening.ref)
    this.#client = client
    this.#opening = opening
    this.#place = Promise.resolve(connection)
    this.#connection = connection
  }

  protected override async release(): Promise<void> {
    try {
      const connection = await this.#place
      const call = { service: FILE_SERVICE, method: 'close', parameters: [this.#opening.key] }
      if (connection.alive) await connection.call(call)
    } catch {
      // The service closes what nobody comes back for.
    }
  }

  protected override async fetch(offset: number, length: number, { signal }: ReadOptions): Promise<Uint8Array> {
    return readInPieces(offset, length, READ_BYTES_MAX, (start, size) => this.#readPiece(start, size, signal))
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
