/**
 * A journal system that is elsewhere: the client of `JournalService`.
 *
 * It has the name of the system behind the service, and keeps its state in the head as that would: what was written here
 * can be opened there, and the other way round.
 */

import { abortable } from '../../kernel/abortable.ts'
import { encodeError } from '../../kernel/error-wire.ts'
import { VarveError } from '../../kernel/errors.ts'
import type { Epoch, JournalPosition, ShardId } from '../../kernel/ids.ts'
import { nonce } from '../../kernel/random.ts'
import type { Random } from '../../kernel/random.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcCall, RpcConnection, RpcReply } from '../../rpc/rpc.ts'
import type {
  Durability,
  Journal,
  JournalOpenOptions,
  JournalReader,
  JournalStateKeeper,
  JournalSupport,
  JournalSystem,
} from '../journal.ts'
import { JOURNAL_SERVICE } from './journal-service.ts'
import { RemoteJournal } from './remote-journal.ts'
import type { OpenAgain, OpenedJournal } from './reopened-journal.ts'
import { RemoteJournalReader } from './remote-journal-reader.ts'

/** What is needed to have a journal elsewhere. */
export interface RemoteJournalOptions {
  /** Of a server with a `JournalService`. Stays the caller's. */
  readonly client: RpcClient
  /** Makes the names by which journals are known to the service. */
  readonly random: Random
  /**
   * How long a journal waits for its service to come back, in milliseconds, before appends that are under way are of
   * unknown outcome. Default REMOTE_JOURNAL_RESUME_MS.
   */
  readonly resumeMs?: number
}

/** A service that is started again takes a second or two; a client that is told earlier has to be opened anew. */
export const REMOTE_JOURNAL_RESUME_MS = 10_000

type Patience = Pick<RpcCall, 'signal' | 'timeoutMs'>

const NOTHING = new Uint8Array(0)

/** Journals behind a service. Nothing of it has to be closed but the journals. */
export class RemoteJournalSystem implements JournalSystem {
  readonly name: string
  readonly version: number
  readonly supports: JournalSupport
  readonly #client: RpcClient
  readonly #random: Random
  readonly #resumeMs: number

  private constructor(
    { client, random, resumeMs = REMOTE_JOURNAL_RESUME_MS }: RemoteJournalOptions,
    described: readonly [name: string, version: number, durability: Durability[], read: boolean],
  ) {
    const [name, version, durability, read] = described
    this.name = name
    this.version = version
    this.supports = Object.freeze({ durability: Object.freeze([...durability]), read })
    this.#client = client
    this.#random = random
    this.#resumeMs = resumeMs
  }

  /**
   * Asks the service what it offers.
   *
   * @throws {VarveError} IO_FAILED, PERMISSION_DENIED, INCOMPATIBLE
   */
  static async connect(options: RemoteJournalOptions): Promise<RemoteJournalSystem> {
    const { value } = await options.client.call({ service: JOURNAL_SERVICE, method: 'describe', parameters: [] })
    return new RemoteJournalSystem(options, value as [string, number, Durability[], boolean])
  }

  async open(
    shard: ShardId,
    epoch: Epoch,
    keeper: JournalStateKeeper,
    needed?: JournalPosition,
    { signal }: JournalOpenOptions = {},
  ): Promise<Journal> {
    // Another each time: a service that was asked before may be at it still.
    const nameNew = (): string => `${shard}/${epoch}/${nonce(this.#random)}${nonce(this.#random)}`
    const openAs = (key: string, from: JournalPosition | undefined, patience: Patience): Promise<OpenedJournal> =>
      // Again on another connection: the service knows the name, or begins anew.
      this.#client.retry(patience, (connection) => this.#open(connection, key, [shard, epoch, key], keeper, from))
    const name = nameNew()
    const opening = openAs(name, needed, { signal })
    // Nobody is left to use what comes of it.
    const unused = (): Promise<unknown> =>
      this.#client.call({ service: JOURNAL_SERVICE, method: 'close', parameters: [name] })
    const opened = await abortable(opening, signal).catch((error: unknown) => {
      if (signal?.aborted === true) opening.then(unused).catch(() => undefined)
      throw error
    })
    const resumeMs = this.#resumeMs
    const openAgain: OpenAgain = async (from) => (await openAs(nameNew(), from, { timeoutMs: resumeMs })).key
    return new RemoteJournal({ client: this.#client, epoch, supports: this.supports, resumeMs, openAgain }, opened)
  }

  async openReadOnly(
    shard: ShardId,
    state: Uint8Array | undefined,
    needed?: JournalPosition,
    { signal }: JournalOpenOptions = {},
  ): Promise<JournalReader> {
    const open = async (connection: RpcConnection): Promise<[id: number, start: number]> => {
      const parameters = [shard, state !== undefined, needed]
      const call = { service: JOURNAL_SERVICE, method: 'openReader', parameters, body: state ?? NOTHING, timeoutMs: 0 }
      return (await connection.call(call)).value as [number, number]
    }
    const place = await this.#client.retry({ signal }, async (connection) => ({
      connection,
      opened: await abortable(open(connection), signal),
    }))
    return new RemoteJournalReader(this.#client, open, place)
  }

  /** The state is committed here, whenever the service asks for it. */
  async #open(
    connection: RpcConnection,
    key: string,
    who: readonly unknown[],
    keeper: JournalStateKeeper,
    needed: JournalPosition | undefined,
  ): Promise<OpenedJournal> {
    const ask = (method: string, parameters: readonly unknown[], body: Uint8Array = NOTHING): Promise<RpcReply> =>
      // It may have to read all of a log.
      connection.call({ service: JOURNAL_SERVICE, method, parameters, body, timeoutMs: 0 })
    const { state } = keeper
    let { value } = await ask('open', [...who, state !== undefined, needed], state)
    for (;;) {
      const [what, ...rest] = value as [string, ...unknown[]]
      if (what === 'opened') {
        const [start, end, pendingBytesMax, storedBytes] = rest as [number, number, number, number]
        return { key, needed, connection, start, end, pendingBytesMax, storedBytes }
      }
      if (what !== 'commit') throw new VarveError('INCOMPATIBLE', `the journal service answered ${what}`)
      let failure: unknown = null
      try {
        await keeper.commit(new Uint8Array(rest[0] as Uint8Array))
      } catch (error) {
        const { stack: _stack, ...wire } = encodeError(error)
        failure = wire
      }
      value = (await ask('committed', [key, failure])).value
    }
  }
}
