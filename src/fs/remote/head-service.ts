/** Heads for others: the service behind `RemoteHeadStore`. */

import { VarveError } from '../../kernel/errors.ts'
import { shardId } from '../../kernel/ids.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { checkShard } from '../../rpc/access.ts'
import { Parameters } from '../../rpc/parameters.ts'
import type { Grant, Peer, RpcAnswer, RpcRequest, RpcService, RpcSession } from '../../rpc/rpc.ts'
import type { HeadStore, HeadVersion } from '../fs.ts'

export const HEAD_SERVICE = 'heads'

export class HeadService implements RpcService {
  readonly name = HEAD_SERVICE
  readonly roles = ['heads'] as const
  readonly #heads: HeadStore

  /** @param heads stays the caller's */
  constructor({ heads }: { readonly heads: HeadStore }) {
    this.#heads = heads
  }

  openSession({ grant }: Peer): RpcSession {
    return { call: (request) => this.#call(request, grant), close: () => Promise.resolve() }
  }

  async #call({ method, parameters, body, signal }: RpcRequest, grant: Grant): Promise<RpcAnswer> {
    const given = new Parameters(parameters)
    const shard: ShardId = shardId(given.text(0))
    checkShard(grant, shard)
    switch (method) {
      case 'read': {
        const head = await this.#heads.read(shard, { signal })
        return head === undefined ? {} : { value: head.version, body: head.content }
      }
      case 'compareAndSet': {
        const expected = given.optionalText(1) as HeadVersion | undefined
        // Not aborted half-way because the caller has gone: it is done or it is not.
        return { value: await this.#heads.compareAndSet(shard, expected, body) }
      }
      default:
        throw new VarveError('UNSUPPORTED', `heads have no ${method}`, { details: { capability: method } })
    }
  }
}
