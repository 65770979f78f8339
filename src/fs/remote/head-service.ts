/**
 * Heads for others: the service behind `RemoteHeadStore`.
 *
 * A client gives itself a name and counts its changes (client-changes.ts). A service that does not know the name was started
 * anew, or has not heard of the client for a while: what became of a change that was under way it cannot tell.
 */

import type { Clock } from '../../kernel/clock.ts'
import { VarveError } from '../../kernel/errors.ts'
import { shardId } from '../../kernel/ids.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { checkShard } from '../../rpc/access.ts'
import { HeldOpen } from '../../rpc/held-open.ts'
import { Parameters } from '../../rpc/parameters.ts'
import type { Peer, RpcAnswer, RpcRequest, RpcService, RpcSession } from '../../rpc/rpc.ts'
import type { HeadStore, HeadVersion } from '../fs.ts'
import { ClientChanges } from './client-changes.ts'

export const HEAD_SERVICE = 'heads'
// Twice as long as a client tries to come back.
const ABSENCE_MS_MAX = 60_000
const KEY_LENGTH_MAX = 64
/** Of one connection: a client has one. */
const CLIENTS_MAX = 64

/** What is offered, and to whom for how long. */
export interface HeadServiceOptions {
  /** Stays the caller's. */
  readonly heads: HeadStore
  /** Measures how long a client is away. */
  readonly clock: Clock
}

/** Offers a head store to clients, each change once however often it is asked for. */
export class HeadService implements RpcService {
  /** As clients ask for it. */
  readonly name = HEAD_SERVICE
  readonly roles = ['heads'] as const
  readonly #heads: HeadStore
  readonly #clients: HeldOpen<ClientChanges>

  constructor({ heads, clock }: HeadServiceOptions) {
    this.#heads = heads
    this.#clients = new HeldOpen(clock, ABSENCE_MS_MAX, () => Promise.resolve())
  }

  openSession(peer: Peer): RpcSession {
    const session: RpcSession = {
      call: (request) => this.#call(request, peer, session),
      close: () => {
        this.#clients.leave(session)
        return Promise.resolve()
      },
    }
    return session
  }

  /** Forgets its clients, after the server over it. Idempotent. */
  close(): Promise<void> {
    return this.#clients.close()
  }

  async #call(request: RpcRequest, { grant }: Peer, session: object): Promise<RpcAnswer> {
    const { method, parameters, body } = request
    const given = new Parameters(parameters)
    if (method === 'introduce') return { value: await this.#introduce(given, session) }
    const shard: ShardId = shardId(given.text(0))
    checkShard(grant, shard)
    switch (method) {
      case 'read': {
        const head = await this.#heads.read(shard, { signal: request.signal })
        return head === undefined ? {} : { value: head.version, body: head.content }
      }
      case 'compareAndSet': {
        const expected = given.optionalText(1) as HeadVersion | undefined
        const client = await this.#clients.use(given.text(2), session)
        if (client === undefined) throw new VarveError('POISONED', 'the client has not introduced itself')
        const [number, acknowledged] = [given.count(3), given.count(4)]
        // Not aborted half-way because the caller has gone: it is done or it is not.
        const change = (): Promise<HeadVersion> => this.#heads.compareAndSet(shard, expected, body)
        return { value: await client.change(number, acknowledged, change) }
      }
      default:
        throw new VarveError('UNSUPPORTED', `heads have no ${method}`, { details: { capability: method } })
    }
  }

  /** Whether the client is known, as one that has been here before or one that is new. */
  async #introduce(given: Parameters, session: object): Promise<boolean> {
    const key = given.text(0)
    if (key.length > KEY_LENGTH_MAX) throw new TypeError('that is no name of a client')
    if (!given.flag(1)) return this.#clients.use(key, session) !== undefined
    if (this.#clients.countOf(session) >= CLIENTS_MAX)
      throw new VarveError('BUSY', `a connection has at most ${CLIENTS_MAX} clients`)
    await this.#clients.open(key, session, () => Promise.resolve(new ClientChanges()))
    return true
  }
}
