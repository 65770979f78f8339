/**
 * Seeds of the checksums in a table file.
 *
 * A checksum is seeded with what its bytes belong to: the file they were written into (64 bits of hash over its name,
 * which is used once, ever), the kind of part, and the offset. Bytes that arrive from another file, another offset or in
 * another role fail their check even when they are whole.
 */

import type { Hash } from '../kernel/hash.ts'

/** Kinds of parts, as they enter a seed. Durable. */
export const PART_BLOCK = 1
export const PART_FILTER = 2
export const PART_INDEX = 3
export const PART_PROPERTIES = 4
export const PART_FOOTER = 5
export const PART_RANGES = 6

const textEncoder = new TextEncoder()

/** u64. */
export function fileIdentity(hash: Hash, name: string): bigint {
  return hash.hash64(textEncoder.encode(name), 0n)
}

/** u64. Distinct for every (part, offset) of one file: offsets stay far below 2^50. */
export function partSeed(identity: bigint, part: number, offset: number): bigint {
  return BigInt.asUintN(64, identity + BigInt(offset * 8 + part))
}
