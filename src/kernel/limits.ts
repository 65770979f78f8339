/** Sizes that bound everything varve allocates or accepts, whatever the engine. An engine adds its own. */

export const KIB = 1024
export const MIB = 1024 * KIB
export const GIB = 1024 * MIB

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
})
