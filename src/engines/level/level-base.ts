/** `AbstractLevel` with the types of this implementation's options: its own know only what all databases share. */

import { AbstractLevel } from 'abstract-level'
import type {
  AbstractBatchOperation,
  AbstractDatabaseOptions,
  AbstractIterator,
  AbstractKeyIterator,
  AbstractValueIterator,
} from 'abstract-level'
import type {
  LevelBatchOptions,
  LevelChainedBatch,
  LevelDelOptions,
  LevelIteratorOptions,
  LevelKeyIteratorOptions,
  LevelOpenOptions,
  LevelPutOptions,
  LevelValueIteratorOptions,
} from './level.ts'

/** Methods whose options have more here. Overloads of abstract-level's, which come after these. */
export interface LevelMethods<KDefault, VDefault> {
  open(options?: LevelOpenOptions): Promise<void>
  put<K = KDefault, V = VDefault>(key: K, value: V, options: LevelPutOptions<K, V>): Promise<void>
  del<K = KDefault>(key: K, options: LevelDelOptions<K>): Promise<void>
  batch<K = KDefault, V = VDefault>(
    operations: AbstractBatchOperation<this, K, V>[],
    options: LevelBatchOptions<K, V>,
  ): Promise<void>
  batch(): LevelChainedBatch<this, KDefault, VDefault>
  iterator<K = KDefault, V = VDefault>(options: LevelIteratorOptions<K, V>): AbstractIterator<this, K, V>
  keys<K = KDefault>(options: LevelKeyIteratorOptions<K>): AbstractKeyIterator<this, K>
  values<K = KDefault, V = VDefault>(options: LevelValueIteratorOptions<K, V>): AbstractValueIterator<this, K, V>
}

/** `getSync` is left out of level-supports' types. */
type Manifest = ConstructorParameters<typeof AbstractLevel>[0] & { readonly getSync: boolean }

export const LevelBase = AbstractLevel as unknown as new <K, V>(
  manifest: Manifest,
  options?: AbstractDatabaseOptions<K, V>,
) => LevelMethods<K, V> & AbstractLevel<string | Buffer | Uint8Array, K, V>
