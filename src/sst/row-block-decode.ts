/** From stored bytes to a block: checksum first, then lengths, then decompression, then structure. */

import type { FileRef } from '../kernel/file-ref.ts'
import type { Hash } from '../kernel/hash.ts'
import { decodePacked, decodeStored } from './block-codec.ts'
import type { BlockKeeping } from './block-codec.ts'
import { BlockPiece } from './block-memory.ts'
import type { CachedBlockOwner } from './block-queue.ts'
import { PART_BLOCK, partSeed } from './file-identity.ts'
import { RowBlock } from './row-block.ts'
import type { RowIndex } from './row-index.ts'
import { tableCorrupt } from './table-damage.ts'

/** @param keep the block gets memory of its own, that lasts @throws {VarveError} TABLE_CORRUPT */
export function decodeBlock(
  index: RowIndex,
  number: number,
  stored: Uint8Array,
  owner: CachedBlockOwner & { readonly ref: FileRef },
  hash: Hash,
  keep?: BlockKeeping,
): RowBlock {
  const offset = index.offsets[number] as number
  const place = { file: owner.ref.name, part: 'block', offset } as const
  if (hash.hash64(stored, partSeed(index.birth, PART_BLOCK, offset)) !== index.checksums[number]) {
    throw tableCorrupt(place, 'checksum does not match')
  }
  const length = index.decodedLengths[number] as number
  const decode = index.packed ? decodePacked : decodeStored
  const decoded = decode(index.codec, stored, length, place, keep)
  const piece = keep === undefined ? new BlockPiece(decoded) : keep.memory.pieceOf(decoded)
  return new RowBlock(decoded, piece, owner, number, place, index.packed)
}
