/** What a block in memory is as one of version 1, which has to be checked: without the note of what all entries have alike. */

import { BlockPiece } from '../sst/block-memory.ts'
import type { CachedBlockOwner } from '../sst/block-queue.ts'
import { ROW_SAME_AT, RowBlock } from '../sst/row-block.ts'
import type { TablePlace } from '../sst/table-damage.ts'

/** @throws {VarveError} TABLE_CORRUPT */
export function version1Block(content: Uint8Array, owner: CachedBlockOwner, place: TablePlace): RowBlock {
  const bytes = content.slice()
  bytes[ROW_SAME_AT] = 0
  return new RowBlock(bytes, new BlockPiece(bytes), owner, 0, place)
}
