/** Heads in memory, for tests and for shards that need not outlive the process. */

import { copyOf } from '../kernel/bytes.ts'
import { VarveError, throwIfAborted } from '../kernel/errors.ts'
import type { ShardId } from '../kernel/ids.ts'
import { LIMITS } from '../kernel/limits.ts'
import type { AbortOptions, Head, HeadStore, HeadVersion } from './fs.ts'

export class MemoryHeadStore implements HeadStore {
  readonly name = 'memory'
  readonly #heads = new Map<ShardId, Head>()
  #versionNext = 1

  async read(shard: ShardId, options: AbortOptions = {}): Promise<Head | undefined> {
    throwIfAborted(options.signal)
    const head = this.#heads.get(shard)
    return Promise.resolve(head === undefined ? undefined : { version: head.version, content: copyOf(head.content) })
  }

  async compareAndSet(
    shard: ShardId,
    expected: HeadVersion | undefined,
    content: Uint8Array,
    options: AbortOptions = {},
  ): Promise<HeadVersion> {
    throwIfAborted(options.signal)
    if (content.length > LIMITS.headBytesMax) {
      throw new VarveError('LIMIT_EXCEEDED', `a head of ${content.length} bytes is over the limit`, {
        details: { what: 'head', size: content.length, limit: LIMITS.headBytesMax },
      })
    }
    const found = this.#heads.get(shard)?.version
    if (found !== expected) {
      throw new VarveError(
        'HEAD_CONFLICT',
        `the head of ${shard} has version ${found ?? 'none'}, expected ${expected ?? 'none'}`,
        {
          details: { expected, found },
        },
      )
    }
    const version = String(this.#versionNext++) as HeadVersion
    this.#heads.set(shard, { version, content: copyOf(content) })
    return Promise.resolve(version)
  }
}
