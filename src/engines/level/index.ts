/** `varve/level`: an abstract-level database in a directory. */

export { LevelError } from './level-error.ts'
export type { LevelErrorCode } from './level-error.ts'
export { HIGH_WATER_MARK_BYTES } from './entry-reader.ts'
export type {
  LevelBatchOptions,
  LevelChainedBatch,
  LevelDelOptions,
  LevelIteratorOptions,
  LevelKeyIteratorOptions,
  LevelOpenOptions,
  LevelOptions,
  LevelPutOptions,
  LevelRangeOptions,
  LevelReadAhead,
  LevelValueIteratorOptions,
  LevelWriteOptions,
  OpenShard,
} from './level.ts'
export { VarveLevel } from './varve-level.ts'
