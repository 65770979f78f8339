/** Puts and gets for those who are elsewhere: what a shard host offers, and how it is asked. */

import { Decoder, Encoder, VarveError, isCode } from 'varve/kernel'
import type { KvShard } from 'varve/kv'
import { Parameters } from 'varve/rpc'
import type { RpcAnswer, RpcClient, RpcRequest, RpcService, RpcSession } from 'varve/rpc'

const SERVICE = 'kv'

export class KvService implements RpcService {
  readonly name = SERVICE
  // Whoever may change heads may change everything.
  readonly roles = ['heads'] as const
  readonly #shards: ReadonlyMap<string, KvShard>
  readonly #ended: (shard: KvShard) => void

  /**
   * @param shards those that this host has, at any time
   * @param ended told of one that takes no more writes
   */
  constructor(shards: ReadonlyMap<string, KvShard>, ended: (shard: KvShard) => void) {
    this.#shards = shards
    this.#ended = ended
  }

  openSession(): RpcSession {
    return { call: (request) => this.#call(request), close: () => Promise.resolve() }
  }

  async #call({ method, parameters, body }: RpcRequest): Promise<RpcAnswer> {
    const name = new Parameters(parameters).text(0)
    const shard = this.#shards.get(name)
    // To whoever follows the map it is the same: the shard is elsewhere, or will be here soon.
    if (shard === undefined) throw new VarveError('FENCED', `shard ${name} is not here`, { details: { shard: name } })
    if (method === 'get') {
      const value = await shard.get(body)
      return value === undefined ? {} : { value: true, body: value }
    }
    const decoder = new Decoder(body, (reason) => {
      throw new TypeError(`no key and value: ${reason}`)
    })
    try {
      await shard.put(decoder.bytes(), decoder.bytes())
    } catch (error) {
      if (isCode(error, 'FENCED', 'OUTCOME_UNKNOWN', 'POISONED')) this.#ended(shard)
      throw error
    }
    return {}
  }
}

export async function remotePut(client: RpcClient, shard: string, key: Uint8Array, value: Uint8Array): Promise<void> {
  const body = new Encoder().bytes(key).bytes(value).finish()
  await client.call({ service: SERVICE, method: 'put', parameters: [shard], body, effect: true })
}

export async function remoteGet(client: RpcClient, shard: string, key: Uint8Array): Promise<Uint8Array | undefined> {
  const reply = await client.call({ service: SERVICE, method: 'get', parameters: [shard], body: key })
  return reply.value === true ? reply.body : undefined
}
