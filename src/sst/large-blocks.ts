/**
 * Large blocks of a table that the system has in memory and the addon decodes: they are read once, for one get or scan.
 *
 * Where such a block is one value, that is copied once, into what the user gets, in place of twice: beyond the cache gets and
 * scans of 16 KiB take half the time (docs/performance-notes.md).
 */

import { copyOf } from '../kernel/bytes.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { KIB } from '../kernel/limits.ts'
import type { FileReader } from '../fs/fs.ts'
import { isStoredPlain } from './block-codec.ts'
import type { BlockKeeping } from './block-codec.ts'
import type { CachedBlockOwner } from './block-queue.ts'
import type { RowBlock } from './row-block.ts'
import { decodeBlock } from './row-block-decode.ts'
import type { RowIndex } from './row-index.ts'
import type { TableReaderOptions } from './sst.ts'

// Blocks over this have one entry, where the default size is the writer's: it is of stored blocks, and where seqnos are kept
// decoded ones are up to half as large again.
const LARGE_BYTES = 12 * KIB

/** Whether a block of so many bytes, decoded, is a large one. */
export function isLarge(blockBytes: number): boolean {
  return blockBytes > LARGE_BYTES
}

export class LargeBlocks {
  readonly #file: FileReader
  readonly #owner: CachedBlockOwner & { readonly ref: FileRef }
  readonly #options: Pick<TableReaderOptions, 'cache' | 'hash' | 'lz4'>
  readonly #keeping: BlockKeeping
  /** 1 for blocks that went by without being kept. */
  #passed: Uint8Array | undefined

  constructor(
    file: FileReader,
    owner: CachedBlockOwner & { readonly ref: FileRef },
    options: Pick<TableReaderOptions, 'cache' | 'hash' | 'lz4'>,
  ) {
    this.#file = file
    this.#owner = owner
    this.#options = options
    this.#keeping = { memory: options.cache.ownMemory, lz4: options.lz4 }
  }

  /**
   * Block `number`, which is not kept: where it is one value it is the caller's, to give away. Or its stored bytes, which are to
   * be admitted: those of a block that is asked for a second time while the cache has room, and those that are elsewhere than
   * where they were asked for. Undefined where it is no large one, or not at hand.
   *
   * @throws {VarveError} TABLE_CORRUPT, and what the file throws
   */
  readNow(index: RowIndex, number: number): RowBlock | Uint8Array | undefined {
    const { cache, hash } = this.#options
    const { memory, lz4 } = this.#keeping
    const blockBytes = index.decodedLengths[number] as number
    if (!isLarge(blockBytes) || lz4 === undefined || !index.packed) return undefined
    const offset = index.offsets[number] as number
    const length = (index.offsets[number + 1] as number) - offset
    if (cache.hasRoom(blockBytes) && this.#passedBefore(index, number))
      return this.#file.readNow(offset, length, cache.stored(length))
    // What is hardly shorter than its block is not compressed: it is read to where it will lie.
    const into = length * 8 > blockBytes * 7 ? memory.take(blockBytes) : undefined
    const room = into === undefined ? cache.stored(length) : into.subarray(blockBytes - length)
    const stored = this.#file.readNow(offset, length, room)
    // Who has it elsewhere had work with it, such as deciphering, and should not have it again.
    if (stored === undefined || stored.buffer !== room?.buffer) return stored
    // Damage: it says that it is compressed. Decoding must not write over what it reads.
    const apart = into !== undefined && !isStoredPlain(stored) ? copyOf(stored) : stored
    const block = decodeBlock(index, number, apart, this.#owner, hash, this.#keeping, into)
    block.own = block.count === 1
    return block
  }

  /** To keep what is read once would make the only scan half as fast. */
  #passedBefore(index: RowIndex, number: number): boolean {
    const passed = (this.#passed ??= new Uint8Array(index.blockCount))
    if (passed[number] === 1) return true
    passed[number] = 1
    return false
  }
}
