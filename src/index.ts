/** `varve`: an ordered key-value store on a directory, made of exchangeable parts. */

export { checkpoint } from './local-checkpoint.ts'
export type { CheckpointOptions, Checkpointed } from './local-checkpoint.ts'
export { destroy } from './local-destroy.ts'
export { repair } from './local-repair.ts'
export type { Loss, RepairOptions, RepairReport } from './local-repair.ts'
export { KV_HANDLERS, open } from './local.ts'
export type { LocalOpenOptions } from './local.ts'
export { localComponents } from './local-components.ts'
export type { LocalComponents } from './local-components.ts'
export type { LocalComponentsOptions, LocalHandlers, LocalOptions } from './local-options.ts'
export type { LocalEncryption, LocalWrapper, LocalWrapping } from './local-wrappers.ts'
export { openKv } from './engines/kv/open-kv.ts'
export type { KvComponents } from './engines/kv/open-kv.ts'
export { KvShard } from './engines/kv/kv-shard.ts'
export { KV_LIMITS } from './engines/kv/limits.ts'
export type {
  GetOptions,
  KvEntry,
  KvKeyOperation,
  KvOpenOptions,
  KvOperation,
  KvRange,
  KvRangeDeletion,
  KvScan,
  KvSnapshot,
  KvStatistics,
  KvSupport,
  LevelStatistics,
  ReadOptions,
  ScanOptions,
  SyncReadOptions,
  VerifyOptions,
  WriteOptions,
} from './engines/kv/kv.ts'
export type { EntryCacheStatistics } from './engines/kv/entry-cache.ts'
export type { TableKeyColumn } from './engines/kv/key-columns.ts'
export type { TableVerification } from './engines/kv/kv-verify.ts'
export type { KvTable } from './engines/kv/levels.ts'
export type { NamedOrder } from './engines/kv/named-order.ts'
export type { KvSettings } from './engines/kv/settings.ts'
export { ERROR_KINDS, VarveError, isCode } from './kernel/errors.ts'
export type { ErrorCode, ErrorKind, VarveErrorOptions } from './kernel/errors.ts'
export { SystemClock } from './system-clock.ts'
export { SystemRandom } from './system-random.ts'
