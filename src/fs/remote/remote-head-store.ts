/**
 * Heads that are elsewhere: the client of `HeadService`.
 *
 * A change whose answer is lost is asked for again, under its number: the service knows whether it has made it. Only where the
 * service was started anew meanwhile, or does not come back, it rejects with OUTCOME_UNKNOWN, and whoever made it reads the
 * head to see whether it is theirs, as the port has it.
 */

import { VarveError, isCode, throwIfAborted } from '../../kernel/errors.ts'
import type { ShardId } from '../../kernel/ids.ts'
import { nonce } from '../../kernel/random.ts'
import { isUnanswered } from '../../rpc/call-error.ts'
import type { RpcClient } from '../../rpc/client.ts'
import type { RpcConnection } from '../../rpc/rpc.ts'
import type { AbortOptions, Head, HeadStore, HeadVersion } from '../fs.ts'
import { checkHeadSize } from '../head-size.ts'
import { HEAD_SERVICE } from './head-service.ts'

/** Who we are to the service at the other end of a connection. */
interface Introduction {
  readonly connection: RpcConnection
  readonly key: Promise<string>
}

/** Heads behind a service. Nothing of it has to be closed. */
export class RemoteHeadStore implements HeadStore {
  readonly name = 'remote'
  readonly #client: RpcClient
  #introduction: Introduction | undefined
  /** What the service knew us by when it was last asked. */
  #key: string | undefined
  #changeNext = 1
  /** Changes under way, in their order. */
  readonly #changing = new Set<number>()

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
    checkHeadSize(content)
    const number = this.#changeNext++
    this.#changing.add(number)
    try {
      return await this.#change(number, [shard, expected], content, signal)
    } finally {
      this.#changing.delete(number)
    }
  }

  async #change(
    number: number,
    what: readonly unknown[],
    body: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<HeadVersion> {
    /** By whom it may have been heard. */
    let asked: string | undefined
    try {
      return await this.#client.retry({ signal }, async (connection, timeoutMs) => {
        const key = await this.#introduce(connection)
        if (asked !== undefined && asked !== key) throw unknown('the service was started anew')
        asked = key
        const parameters = [...what, key, number, this.#acknowledged()]
        const call = { service: HEAD_SERVICE, method: 'compareAndSet', parameters, body, signal, timeoutMs }
        return (await connection.call(call)).value as HeadVersion
      })
    } catch (error) {
      if (asked !== undefined && (isUnanswered(error) || isCode(error, 'POISONED'))) throw unknown(error.message, error)
      throw error
    }
  }

  /** The name that the service at the other end knows us by. */
  #introduce(connection: RpcConnection): Promise<string> {
    if (this.#introduction?.connection !== connection) {
      const introduction = { connection, key: this.#introduceOn(connection) }
      this.#introduction = introduction
      introduction.key.catch(() => {
        if (this.#introduction === introduction) this.#introduction = undefined
      })
    }
    return this.#introduction?.key ?? Promise.reject(unknown('nobody was introduced'))
  }

  async #introduceOn(connection: RpcConnection): Promise<string> {
    const introduce = async (key: string, isNew: boolean): Promise<boolean> => {
      const call = { service: HEAD_SERVICE, method: 'introduce', parameters: [key, isNew] }
      return (await connection.call(call)).value === true
    }
    if (this.#key !== undefined && (await introduce(this.#key, false))) return this.#key
    const { random } = this.#client
    const key = `${nonce(random)}${nonce(random)}`
    await introduce(key, true)
    this.#key = key
    return key
  }

  /** Nothing up to this one is asked for again. */
  #acknowledged(): number {
    for (const number of this.#changing) return number - 1
    return this.#changeNext - 1
  }
}

function unknown(reason: string, cause?: unknown): VarveError {
  return new VarveError('OUTCOME_UNKNOWN', `the head may or may not have been changed: ${reason}`, {
    details: { operation: 'compareAndSet' },
    cause,
  })
}
