/** Heads in memory, for tests and for shards that need not outlive the process. */

import { copyOf } from '../kernel/bytes.ts'
import { throwIfAborted } from '../kernel/errors.ts'
import type { ShardId } from '../kernel/ids.ts'
import type { AbortOptions, Head, HeadStore, HeadVersion } from './fs.ts'
import { headConflict } from './head-conflict.ts'
import { checkHeadSize } from './head-size.ts'

/** Heads in the memory of this process. What is read and written is copied. */
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
    checkHeadSize(content)
    const found = this.#heads.get(shard)?.version
    if (found !== expected) throw headConflict(shard, expected, found)
    const version = String(this.#versionNext++) as HeadVersion
    this.#heads.set(shard, { version, content: copyOf(content) })
    return Promise.resolve(version)
  }
}
