/** Sizes that bound everything varve allocates or accepts, whatever the engine. An engine adds its own. */

/** 1,024 bytes. */
export const KIB = 1024
/** 2^20 bytes. */
export const MIB = 1024 * KIB
/** 2^30 bytes. */
export const GIB = 1024 * MIB

/**
 * Hard limits, in bytes where nothing else is said. What is larger is refused with LIMIT_EXCEEDED, or is damage where
 * it was read.
 */
export const LIMITS = Object.freeze({
  /** One journal batch: the largest value of the key-value engine (256 MiB), with room for its key and a neighbour. */
  batchBytesMax: 512 * MIB,
  /** One decoded table block: the largest single entry must fit. Checked before anything is allocated for it. */
  blockBytesMax: 320 * MIB,
  /** One head object. Edits spill into manifest files long before. */
  headBytesMax: 8 * MIB,
  /** One manifest file. 1M files of about 100 bytes each. */
  manifestBytesMax: 256 * MIB,
  /** Characters in a file name: what every file system and object store takes, with room for a temporary suffix. */
  fileNameLengthMax: 128,
  /** Characters in the name of a shard: its files have it in front of theirs, which end with up to 64 more. */
  shardNameLengthMax: 64,
})
