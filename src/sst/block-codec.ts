/**
 * Compression of blocks.
 *
 * A compressed block is what lz4-napi makes: the decoded length as a u32, then an LZ4 block. That library believes the
 * length and allocates it, so it is compared with the one in the checksummed index first, and both with what the format
 * could possibly hold.
 */

import { compressSync, uncompressSync } from 'lz4-napi'
import { MIB } from '../kernel/limits.ts'
import type { Lz4Decoder } from '../kernel/lz4.ts'
import type { BlockMemory } from './block-memory.ts'
import { readU32 } from './columns.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePlace } from './table-damage.ts'

export type BlockCodecName = 'none' | 'lz4'

/** Durable numbers of the codecs. */
export const BLOCK_CODECS: readonly BlockCodecName[] = Object.freeze(['none', 'lz4'])

// Decompression runs where the reader runs and holds its event loop: 1 MiB takes about half a millisecond. Blocks are
// this large only for a single large value, and those are mostly compressed by whoever made them.
export const COMPRESSED_BLOCK_BYTES_MAX = 1 * MIB

// An LZ4 sequence byte yields at most 255 bytes of output.
const LZ4_RATIO_MAX = 255
const LENGTH_BYTES = 4

/**
 * The bytes to store for `block`: shorter than it when compressed, `block` itself when not. Less than an eighth saved
 * is not worth decompressing for.
 */
export function encodeStored(codec: BlockCodecName, block: Uint8Array): Uint8Array {
  if (codec === 'none' || block.length > COMPRESSED_BLOCK_BYTES_MAX) return block
  const compressed = compressSync(Buffer.from(block.buffer, block.byteOffset, block.length))
  return compressed.length * 8 <= block.length * 7 ? compressed : block
}

/** How blocks are decoded to stay: into `memory`, by `lz4` where there is one. */
export interface BlockKeeping {
  readonly memory: BlockMemory
  readonly lz4: Lz4Decoder | undefined
}

/**
 * The block of `decodedLength` bytes behind `stored`, whose checksum has been verified. To be kept, it is in memory of its
 * own; otherwise it is `stored` itself when that has the length already.
 *
 * @throws {VarveError} TABLE_CORRUPT — the lengths contradict each other, or the stream is malformed
 */
export function decodeStored(
  codec: BlockCodecName,
  stored: Uint8Array,
  decodedLength: number,
  place: TablePlace,
  keep?: BlockKeeping,
): Uint8Array {
  if (stored.length === decodedLength) return keep === undefined ? stored : copyOf(stored, keep.memory)
  if (codec === 'none')
    throw tableCorrupt(place, 'a block that is not compressed has another length than the index says')
  if (stored.length <= LENGTH_BYTES || stored.length > decodedLength)
    throw tableCorrupt(place, 'impossible compressed length')
  // No writer compresses more: a few bytes cannot make a reader allocate without bound.
  if (decodedLength > COMPRESSED_BLOCK_BYTES_MAX) throw tableCorrupt(place, 'compressed block is over the limit')
  if (decodedLength > (stored.length - LENGTH_BYTES) * LZ4_RATIO_MAX)
    throw tableCorrupt(place, 'impossible compression ratio')
  if (readU32(stored, 0) !== decodedLength)
    throw tableCorrupt(place, 'compressed block has another length than the index says')
  if (keep?.lz4 !== undefined) {
    const decoded = keep.memory.take(decodedLength)
    if (keep.lz4.decode(stored, LENGTH_BYTES, decoded)) return decoded
    throw tableCorrupt(place, 'malformed LZ4 block')
  }
  let decoded: Uint8Array
  try {
    decoded = uncompressSync(stored)
  } catch (cause) {
    throw tableCorrupt(place, 'malformed LZ4 block', cause)
  }
  if (decoded.length !== decodedLength) throw tableCorrupt(place, 'LZ4 block ends early')
  // Beside its neighbours, where one pair of views serves them all: see BlockPiece.
  return keep === undefined ? decoded : copyOf(decoded, keep.memory)
}

function copyOf(stored: Uint8Array, memory: BlockMemory): Uint8Array {
  const copy = memory.take(stored.length)
  copy.set(stored)
  return copy
}
