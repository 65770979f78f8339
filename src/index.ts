/** `varve`: an ordered key-value store on a directory, made of exchangeable parts. */

export { checkpoint } from './local-checkpoint.ts'
export { destroy } from './local-destroy.ts'
export { localComponents, open } from './local.ts'
export type { LocalOpenOptions, LocalOptions } from './local.ts'
export { openKv } from './engines/kv/open-kv.ts'
export type { KvComponents } from './engines/kv/open-kv.ts'
export { KvShard } from './engines/kv/kv-shard.ts'
export { KV_LIMITS } from './engines/kv/limits.ts'
export type {
  KvEntry,
  KvOpenOptions,
  KvOperation,
  KvRange,
  KvScan,
  KvSnapshot,
  KvStatistics,
  LevelStatistics,
  ReadOptions,
  ScanOptions,
  SyncReadOptions,
  WriteOptions,
} from './engines/kv/kv.ts'
export { ERROR_KINDS, VarveError, isCode } from './kernel/errors.ts'
export type { ErrorCode, ErrorKind } from './kernel/errors.ts'
