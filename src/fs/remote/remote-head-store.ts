/**
 * Heads that are elsewhere: the client of `HeadService`.
 *
 * A change whose answer is lost is not made again: it rejects with OUTCOME_UNKNOWN, and whoever made it reads the head to
 * see whether it is theirs, as the port has it.
 */

import { VarveError, throwIfAborted } from '../../kernel/errors.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { LIMITS } from '../../kernel/limits.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { AbortOptions, Head, HeadStore, HeadVersion } from '../fs.ts'
import { HEAD_SERVICE } from './head-service.ts'

export class RemoteHeadStore implements HeadStore {
  readonly name = 'remote'
  readonly #client: RpcClient

  /** @param client of a server with a `HeadService`; stays the caller's */
  constructor({ client }: { readonly client: RpcClient }) {
    this.#client = client
  }

  async read(shard: ShardId, { signal }: AbortOptions = {}): Promise<Head | undefined> {
    throwIfAborted(signal)
    const reply = await this.#client.call({ service: HEAD_SERVICE, method: 'read', parameters: [shard], signal })
    if (typeof reply.value !== 'string') return undefined
    return { version: reply.value as HeadVersion, content: reply.body }
  }

  async compareAndSet(
    shard: ShardId,
    expected: HeadVersion | undefined,
    content: Uint8Array,
    { signal }: AbortOptions = {},
  ): Promise<HeadVersion> {
    throwIfAborted(signal)
    if (content.length > LIMITS.headBytesMax) {
      throw new VarveError('LIMIT_EXCEEDED', `a head of ${content.length} bytes is over the limit`, {
        details: { what: 'head', size: content.length, limit: LIMITS.headBytesMax },
      })
    }
    const parameters = [shard, expected]
    const call = { service: HEAD_SERVICE, method: 'compareAndSet', parameters, body: content, signal, effect: true }
    // Where nobody answers, nothing has been sent: then it is tried again.
    return (await this.#client.call(call)).value as HeadVersion
  }
}
