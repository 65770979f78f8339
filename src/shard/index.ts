/** `varve/shard`: the generic shard, for the author of a domain engine. */

export type { ManifestState } from './edit.ts'
export { Follower } from './follower.ts'
export type { FollowOptions, FollowerState } from './follower.ts'
export type { HeadContent, Pin, Succession } from './head-content.ts'
export { openShard } from './open-shard.ts'
export { chooseFifo, FIFO_DEFAULTS } from './policy/fifo.ts'
export type { FifoSettings } from './policy/fifo.ts'
export { chooseLazyLeveled } from './policy/lazy-leveled.ts'
export { chooseLeveled, LEVELED_DEFAULTS } from './policy/leveled.ts'
export type { LeveledSettings } from './policy/leveled.ts'
export type {
  DropChoice,
  PlaceChoice,
  PolicyChange,
  PolicyChoice,
  PolicyFile,
  PolicyInput,
  PolicySpan,
} from './policy/policy.ts'
export { chooseRange } from './policy/range.ts'
export type { PolicyRange } from './policy/range.ts'
export { chooseTiered, TIERED_DEFAULTS, TIERED_LEVEL_LAST } from './policy/tiered.ts'
export type { TieredSettings } from './policy/tiered.ts'
export { reclaimSuperseded } from './reclaim.ts'
export type { Reclaimed } from './reclaim.ts'
export type { TableLoad } from './table-load.ts'
export { succeed } from './succession.ts'
export type { Successor } from './succession.ts'
export { SHARD_DEFAULTS } from './settings.ts'
export type {
  AnsweredJob,
  Change,
  CheckpointTarget,
  ChooseInput,
  Drop,
  Engine,
  HandOver,
  JobPlan,
  Move,
  Pressure,
  Purpose,
  Rewrite,
  Shard,
  ShardComponents,
  ShardOpenOptions,
  ShardPlace,
  Underway,
  VersionFile,
} from './shard.ts'
export type { ShardSettings } from './settings.ts'
export type { ShardStatistics } from './statistics.ts'
export type { Version, View } from './version.ts'
