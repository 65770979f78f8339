/** A journal that is read elsewhere, in pieces. */

import { VarveError } from '../../kernel/errors.ts'
import type { JournalPosition } from '../../kernel/ids.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcConnection, RpcReply } from '../../rpc/rpc.ts'
import type { JournalReader } from '../journal.ts'
import { JOURNAL_SERVICE } from './journal-service.ts'
import { decodeBatches } from './replay-codec.ts'

export type Visit = (payload: Uint8Array, position: JournalPosition) => void

interface ReaderPlace {
  readonly connection: RpcConnection
  readonly opened: readonly [id: number, start: number]
}

export class RemoteJournalReader implements JournalReader {
  readonly #client: RpcClient
  readonly #open: (connection: RpcConnection) => Promise<readonly [id: number, start: number]>
  #place: ReaderPlace
  #closed = false

  /** @param open opens it on another connection */
  constructor(
    client: RpcClient,
    open: (connection: RpcConnection) => Promise<readonly [id: number, start: number]>,
    place: ReaderPlace,
  ) {
    this.#client = client
    this.#open = open
    this.#place = place
  }

  get start(): JournalPosition {
    return this.#place.opened[1] as JournalPosition
  }

  async replay(from: JournalPosition, visit: Visit): Promise<JournalPosition> {
    if (this.#closed) throw new VarveError('CLOSED', 'the reader is closed')
    return replayPieces(from, visit, (position) =>
      this.#client.retry({}, async (connection) => {
        if (this.#place.connection !== connection) this.#place = { connection, opened: await this.#open(connection) }
        const parameters = [this.#place.opened[0], position]
        return connection.call({ service: JOURNAL_SERVICE, method: 'replayReader', parameters, timeoutMs: 0 })
      }),
    )
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const { connection, opened } = this.#place
    try {
      if (connection.alive)
        await connection.call({ service: JOURNAL_SERVICE, method: 'closeReader', parameters: [opened[0]] })
    } catch {
      // It ends with its connection.
    }
  }
}

/** @param piece asks for what is there from a position on; its value is where the journal ends, once it is the last */
export async function replayPieces(
  from: JournalPosition,
  visit: Visit,
  piece: (from: number) => Promise<RpcReply>,
): Promise<JournalPosition> {
  let next: number = from
  for (;;) {
    const { value, body } = await piece(next)
    for (const { position, payload } of decodeBatches(body)) {
      visit(payload, position as JournalPosition)
      next = position + payload.length
    }
    if (typeof value === 'number') return value as JournalPosition
  }
}
