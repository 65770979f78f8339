/** From stored bytes to a block: checksum first, then lengths, then decompression, then structure. */

import type { FileRef } from '../kernel/file-ref.ts'
import type { Hash } from '../kernel/hash.ts'
import { decodePacked, decodeStored, packedFault } from './block-codec.ts'
import type { BlockKeeping } from './block-codec.ts'
import { BlockPiece } from './block-memory.ts'
import type { CachedBlockOwner } from './block-queue.ts'
import { PART_BLOCK, partSeed } from './file-identity.ts'
import { RowBlock } from './row-block.ts'
import type { RowIndex } from './row-index.ts'
import { tableCorrupt } from './table-damage.ts'

/**
 * Checks `stored` and makes the block of it. Where there is an addon it does all of it in one call, and what it refuses is done
 * here, where errors are named: a get that has to load its block takes 20 to 40% less (docs/performance-notes.md).
 *
 * @param keep the block gets memory of its own, that lasts
 * @param into that memory, as long as the block, which may end with `stored`. Default: what `keep` has
 * @throws {VarveError} TABLE_CORRUPT
 */
export function decodeBlock(
  index: RowIndex,
  number: number,
  stored: Uint8Array,
  owner: CachedBlockOwner & { readonly ref: FileRef },
  hash: Hash,
  keep?: BlockKeeping,
  into?: Uint8Array,
): RowBlock {
  const offset = index.offsets[number] as number
  const place = { file: owner.ref.name, part: 'block', offset } as const
  const seed = partSeed(index.birth, PART_BLOCK, offset)
  const length = index.decodedLengths[number] as number
  if (keep?.lz4 !== undefined && index.packed && packedFault(index.codec, stored, length) === undefined) {
    const block = into ?? keep.memory.take(length)
    if (keep.lz4.decodeRowBlock(stored, seed, index.checksums[number] as bigint, block))
      return new RowBlock(block, keep.memory.pieceOf(block), owner, number, place, true)
  }
  if (hash.hash64(stored, seed) !== index.checksums[number]) {
    throw tableCorrupt(place, 'checksum does not match')
  }
  const decoded = index.packed
    ? decodePacked(index.codec, stored, length, place, keep, into)
    : decodeStored(index.codec, stored, length, place, keep)
  const piece = keep === undefined ? new BlockPiece(decoded) : keep.memory.pieceOf(decoded)
  return new RowBlock(decoded, piece, owner, number, place, index.packed)
}
