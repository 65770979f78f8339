/** A head store over another, with somebody in between who sees every call and may hold it back, or answer otherwise. */

import type { ShardId } from '../kernel/ids.ts'
import type { AbortOptions, Head, HeadStore, HeadVersion } from './fs.ts'
import { storeCall } from './store-call.ts'
import type { CallInterceptor } from './store-call.ts'

/** Hands every call to an interceptor, and from there, if it says so, to the store below. */
export class InterceptedHeadStore implements HeadStore {
  readonly name: string
  readonly #inner: HeadStore
  readonly #interceptor: CallInterceptor

  /** @param interceptor sees every call before `inner` does */
  constructor(inner: HeadStore, interceptor: CallInterceptor) {
    this.name = inner.name
    this.#inner = inner
    this.#interceptor = interceptor
  }

  read(shard: ShardId, options?: AbortOptions): Promise<Head | undefined> {
    return this.#interceptor.run(storeCall('readHead', shard), () => this.#inner.read(shard, options))
  }

  compareAndSet(
    shard: ShardId,
    expected: HeadVersion | undefined,
    content: Uint8Array,
    options?: AbortOptions,
  ): Promise<HeadVersion> {
    const call = storeCall('compareAndSet', shard, 0, content.length)
    return this.#interceptor.run(call, () => this.#inner.compareAndSet(shard, expected, content, options))
  }
}
