/** `varve/cluster`: which shard has which keys, and who has the shard. */

export { MAP_CLIENT_DEFAULTS, MapClient } from './map-client.ts'
export type { MapClientParts, MapClientSettings, OwnedEntry } from './map-client.ts'
export { assign, assignAll, hashMap, rangeMap, replaceShards } from './map-changes.ts'
export type { Stretch } from './map-changes.ts'
export { MapStore } from './map-store.ts'
export type { MapStoreParts } from './map-store.ts'
export { PLACEMENT_SLACK, placeShards } from './placement.ts'
export type { PlacedNode, PlacedShard, PlacementInput } from './placement.ts'
export { entriesWithin, entryFor, entryOf, placeOf } from './shard-map.ts'
export type { MapEntry, Partition, ShardMap } from './shard-map.ts'
