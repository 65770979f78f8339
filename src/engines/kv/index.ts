/** `varve/kv`: the key-value engine, over any components. */

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
} from './kv.ts'
export type { EntryCacheStatistics } from './entry-cache.ts'
export { followKv, KvFollower } from './follow-kv.ts'
export type { KvFollowOptions } from './follow-kv.ts'
export { KvShard } from './kv-shard.ts'
export type { TableVerification } from './kv-verify.ts'
export type { TableKeyColumn } from './key-columns.ts'
export type { KeyPoint } from './key-point.ts'
export type { KvTable } from './levels.ts'
export { KV_LIMITS } from './limits.ts'
export type { NamedOrder } from './named-order.ts'
export { openKv } from './open-kv.ts'
export type { KvComponents } from './open-kv.ts'
export { KV_DEFAULTS, KV_POLICIES } from './settings.ts'
export type { KvPolicy, KvSettings } from './settings.ts'
export type { CutSpan, TableMeta } from './table-meta.ts'
