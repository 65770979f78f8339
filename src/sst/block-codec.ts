/**
 * Compression of blocks.
 *
 * A compressed block is what lz4-napi makes: the decoded length as a u32, then an LZ4 block. That library believes the
 * length and allocates it, so it is compared with the one in the checksummed index first, and both with what the format
 * could possibly hold.
 */

import { MIB } from '../kernel/limits.ts'
import type { Lz4 } from '../kernel/lz4.ts'
import type { BlockMemory } from './block-memory.ts'
import { readU32 } from './columns.ts'
import { lz4Library } from './lz4-library.ts'
import { unpackBlock } from './packed-block.ts'
import { tableCorrupt } from './table-damage.ts'
import type { TablePlace } from './table-damage.ts'

/** How a block is stored. */
export type BlockCodecName = 'none' | 'lz4'

/** Durable numbers of the codecs. */
export const BLOCK_CODECS: readonly BlockCodecName[] = Object.freeze(['none', 'lz4'])

// Decompression runs where the reader runs and holds its event loop: 1 MiB takes about half a millisecond. Blocks are
// this large only for a single large value, and those are mostly compressed by whoever made them.
export const COMPRESSED_BLOCK_BYTES_MAX = 1 * MIB

// An LZ4 sequence byte yields at most 255 bytes of output.
const LZ4_RATIO_MAX = 255
// Four bytes at least of an entry are packed, and become at most 19: head, two offsets, tag. What is kept as it is counts once.
const UNPACKED_RATIO_MAX = 5
// The header of a block, and one offset of each column beyond the last entry.
const UNPACKED_BYTES_MORE = 64
/** Of the length that a stored block begins with. */
export const LENGTH_BYTES = 4

/**
 * The bytes to store for `framed`, a packed block behind its length: shorter than it when compressed, `framed` itself
 * when not.
 */
export function encodeStored(codec: BlockCodecName, framed: Uint8Array): Uint8Array {
  const length = framed.length - LENGTH_BYTES
  if (codec === 'none' || length > COMPRESSED_BLOCK_BYTES_MAX) return framed
  const compressed = lz4Library().compressSync(Buffer.from(framed.buffer, framed.byteOffset + LENGTH_BYTES, length))
  return isWorthDecoding(compressed.length, framed.length) ? compressed : framed
}

/** Less than an eighth saved is not worth decompressing for. */
export function isWorthDecoding(compressedLength: number, length: number): boolean {
  return compressedLength * 8 <= length * 7
}

/** How blocks are decoded to stay: into `memory`, by `lz4` where there is one. */
export interface BlockKeeping {
  readonly memory: BlockMemory
  readonly lz4: Lz4 | undefined
}

/**
 * The block of `blockBytes` bytes that is packed in `stored`, whose checksum has been verified, in memory of its own.
 *
 * @param into memory for it, of as many bytes, that may end with `stored` where that is not compressed. Default: new, or `keep`'s
 * @throws {VarveError} TABLE_CORRUPT — the lengths contradict each other, or what is there is malformed
 */
export function decodePacked(
  codec: BlockCodecName,
  stored: Uint8Array,
  blockBytes: number,
  place: TablePlace,
  keep?: BlockKeeping,
  into?: Uint8Array,
): Uint8Array {
  const fault = packedFault(codec, stored, blockBytes)
  if (fault !== undefined) throw tableCorrupt(place, fault)
  const length = readU32(stored, 0)
  const start = blockBytes - length
  const isPlain = length === stored.length - LENGTH_BYTES
  if (!isPlain && keep?.lz4 !== undefined) {
    const block = into ?? keep.memory.take(blockBytes)
    const packed = block.subarray(start)
    if (!keep.lz4.decode(stored, LENGTH_BYTES, packed)) throw tableCorrupt(place, 'malformed LZ4 block')
    unpackBlock(packed, block, keep.memory, place)
    return block
  }
  const packed = isPlain ? stored.subarray(LENGTH_BYTES) : uncompressed(stored, length, place)
  const block = into ?? (keep === undefined ? new Uint8Array(blockBytes) : keep.memory.take(blockBytes))
  const inPlace = packed.buffer === block.buffer
  if (!inPlace) block.set(packed, start)
  unpackBlock(packed, block, inPlace ? keep?.memory : undefined, place)
  return block
}

/** Whether a packed block is stored as it is, by what it says itself. */
export function isStoredPlain(stored: Uint8Array): boolean {
  return stored.length > LENGTH_BYTES && readU32(stored, 0) === stored.length - LENGTH_BYTES
}

/** What is impossible about the lengths of a packed block, to be asked before memory is taken for it; undefined: nothing. */
export function packedFault(codec: BlockCodecName, stored: Uint8Array, blockBytes: number): string | undefined {
  if (stored.length <= LENGTH_BYTES) return 'shorter than its length'
  const length = readU32(stored, 0)
  if (length > blockBytes || blockBytes > length * UNPACKED_RATIO_MAX + UNPACKED_BYTES_MORE)
    return 'impossible packed length'
  if (length === stored.length - LENGTH_BYTES) return undefined
  if (codec === 'none') return 'a block that is not compressed has another length than it says'
  return lengthsFault(length, stored.length - LENGTH_BYTES)
}

/**
 * Version 1: the block of `decodedLength` bytes behind `stored`, whose checksum has been verified. To be kept, it is in memory of its
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
  const fault = lengthsFault(decodedLength, stored.length - LENGTH_BYTES)
  if (fault !== undefined) throw tableCorrupt(place, fault)
  if (readU32(stored, 0) !== decodedLength)
    throw tableCorrupt(place, 'compressed block has another length than the index says')
  if (keep?.lz4 !== undefined) {
    const decoded = keep.memory.take(decodedLength)
    if (keep.lz4.decode(stored, LENGTH_BYTES, decoded)) return decoded
    throw tableCorrupt(place, 'malformed LZ4 block')
  }
  const decoded = uncompressed(stored, decodedLength, place)
  // Beside its neighbours, where one pair of views serves them all: see BlockPiece.
  return keep === undefined ? decoded : copyOf(decoded, keep.memory)
}

/** No writer compresses more than this: a few bytes cannot make a reader allocate without bound. */
function lengthsFault(length: number, storedLength: number): string | undefined {
  if (length < storedLength) return 'impossible compressed length'
  if (length > COMPRESSED_BLOCK_BYTES_MAX) return 'compressed block is over the limit'
  if (length > storedLength * LZ4_RATIO_MAX) return 'impossible compression ratio'
  return undefined
}

function uncompressed(stored: Uint8Array, length: number, place: TablePlace): Uint8Array {
  // Before what is told of as damage: where the library does not load, every block would be damaged.
  const library = lz4Library()
  let decoded: Uint8Array
  try {
    decoded = library.uncompressSync(stored)
  } catch (cause) {
    throw tableCorrupt(place, 'malformed LZ4 block', cause)
  }
  if (decoded.length !== length) throw tableCorrupt(place, 'LZ4 block ends early')
  // A plain view: see `alignedBytes`.
  return new Uint8Array(decoded.buffer, decoded.byteOffset, length)
}

function copyOf(stored: Uint8Array, memory: BlockMemory): Uint8Array {
  const copy = memory.take(stored.length)
  copy.set(stored)
  return copy
}
