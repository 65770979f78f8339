/** What an open key-value shard is made of. */

import type { Clock } from '../../kernel/clock.ts'
import type { Hash } from '../../kernel/hash.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import type { OrderedMemtable } from '../../memtable/ordered-memtable.ts'
import type { FileStore, HeadStore } from '../../fs/fs.ts'
import type { Shard } from '../../shard/shard.ts'
import type { BlockCache } from '../../sst/block-cache.ts'
import type { TableCache } from '../../sst/table-cache.ts'
import type { KvEngine } from './engine.ts'
import type { Levels } from './levels.ts'

export interface KvParts {
  readonly shard: Shard<OrderedOperation, OrderedMemtable, Levels>
  readonly engine: KvEngine
  readonly order: KeyOrder
  readonly cache: BlockCache
  readonly tables: TableCache
  readonly clock: Clock
  readonly files: FileStore
  readonly heads: HeadStore
  readonly hash: Hash
  /** Closes what was opened for this shard alone. */
  readonly closeParts: () => Promise<void>
}
