/** `varve/shard`: the generic shard, for the author of a domain engine. */

export { openShard } from './open-shard.ts'
export { chooseLeveled, chooseLeveledRange, LEVELED_DEFAULTS } from './policy/leveled.ts'
export type { LeveledChoice, LeveledFile, LeveledInput, LeveledSettings } from './policy/leveled.ts'
export { SHARD_DEFAULTS } from './settings.ts'
export type {
  Change,
  ChooseInput,
  Drop,
  Engine,
  JobPlan,
  Move,
  Pressure,
  Rewrite,
  Shard,
  ShardComponents,
  ShardOpenOptions,
  ShardPlace,
  ShardSettings,
  ShardStatistics,
  VersionFile,
} from './shard.ts'
export type { Version, View } from './version.ts'
