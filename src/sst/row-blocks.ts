/**
 * The data blocks of one open row table: those the cache keeps, and how others come into memory.
 *
 * A slot for each block: a hit is an array access and a mark. What is missing is read at once where the system has it in
 * memory, and otherwise asked for in the caller's `BlockFetch`.
 */

import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import type { Hash } from '../kernel/hash.ts'
import type { FileReader, ReadOptions } from '../fs/fs.ts'
import type { BlockCache } from './block-cache.ts'
import { packedFault } from './block-codec.ts'
import type { BlockKeeping } from './block-codec.ts'
import type { BlockFetch, BlockSource } from './block-fetch.ts'
import type { BlockPiece } from './block-memory.ts'
import type { CachedBlockOwner } from './block-queue.ts'
import { isLarge, LargeBlocks } from './large-blocks.ts'
import { LoneBlock } from './lone-block.ts'
import { Neighbours } from './neighbours.ts'
import type { NeighbourOwner } from './neighbours.ts'
import { RowBlock } from './row-block.ts'
import { decodeBlock } from './row-block-decode.ts'
import type { RowIndex } from './row-index.ts'
import { SharedLoads } from './shared-loads.ts'
import type { TableReaderOptions } from './sst.ts'

export class RowBlocks implements BlockSource, CachedBlockOwner, NeighbourOwner {
  readonly #file: FileReader
  readonly #hash: Hash
  readonly #cache: BlockCache
  readonly #keeping: BlockKeeping
  readonly #passing: BlockKeeping
  readonly #large: LargeBlocks
  readonly #neighbours: Neighbours | undefined
  readonly #loads = new SharedLoads()
  #slots: (RowBlock | undefined)[] = []
  /** Undefined before `open` and after `close`. */
  #index: RowIndex | undefined = undefined

  constructor(file: FileReader, options: TableReaderOptions) {
    this.#file = file
    this.#hash = options.hash
    const { cache, lz4, decoding } = options
    this.#cache = cache
    this.#keeping = { memory: cache.memory, lz4 }
    this.#passing = { memory: cache.passingMemory, lz4 }
    this.#large = new LargeBlocks(file, this, options)
    this.#neighbours = decoding === undefined ? undefined : new Neighbours(file, this, cache, decoding)
  }

  get ref(): FileRef {
    return this.#file.ref
  }

  /** What the index says has been read: blocks can be asked for. */
  open(index: RowIndex): void {
    this.#index = index
    this.#slots = Array.from({ length: index.blockCount }, () => undefined)
  }

  /** Gives up what the cache has. */
  close(): void {
    for (const block of this.#slots) if (block !== undefined) this.#cache.remove(block)
    this.#slots = []
    this.#index = undefined
  }

  /** Block `number` for a get, for the call; undefined where it is not at hand, and `fetch` wants it. @throws as `loadNow` */
  find(number: number, fetch: BlockFetch): RowBlock | undefined {
    const block = this.#slots[number]
    if (block === undefined) return this.#missed(number, fetch)
    this.#cache.hits++
    // Written once: the mark of a block that is hot stays as it is.
    if (!block.touched) block.touched = true
    return block
  }

  /** Block `number` if the cache has it, for the call: see `RowBlock.use`. @param touch it counts as a use */
  cached(number: number, touch: boolean): RowBlock | undefined {
    const block = this.#slots[number]
    if (block !== undefined && touch) {
      this.#cache.hits++
      block.touched = true
    }
    return block
  }

  /** Stored bytes of blocks [first, limit), in one piece. */
  async read(first: number, limit: number, options: ReadOptions): Promise<Uint8Array> {
    const { offset, length } = this.#extent(first, limit)
    return await this.#file.read(offset, length, options)
  }

  readSync(first: number, limit: number): Uint8Array {
    const { offset, length } = this.#extent(first, limit)
    return this.#file.readSync(offset, length)
  }

  /**
   * Checks and decodes the stored bytes of block `number`.
   *
   * @param keep offers it to the cache; otherwise it is for a merge, which may write it again as it is stored. It is the
   * caller's for the call either way: see `RowBlock.use`.
   * @throws {VarveError} TABLE_CORRUPT
   */
  decode(number: number, stored: Uint8Array, keep: boolean): RowBlock {
    if (!keep) return this.#decodeToMerge(number, stored)
    const block = decodeBlock(this.#openIndex(), number, stored, this, this.#hash, this.#keeping)
    this.#cache.misses++
    if (this.#slots[number] === undefined && this.#cache.insert(block)) this.#slots[number] = block
    return block
  }

  load(number: number): Promise<object> {
    return this.#loads.share(
      number,
      async () => this.#slots[number]?.lend() ?? this.#admit(number, await this.read(number, number + 1, {})).lend(),
    )
  }

  loadSync(number: number): RowBlock {
    const { offset, length } = this.#extent(number, number + 1)
    const kept = this.#slots[number]
    return (kept ?? this.#admit(number, this.#file.readSync(offset, length, this.#cache.stored(length)))).lend()
  }

  /** @throws {VarveError} TABLE_CORRUPT, and what the file throws */
  loadNow(number: number): RowBlock | undefined {
    return this.#loadNow(number)?.lend()
  }

  /** For the call: see `RowBlock.use`. */
  #loadNow(number: number): RowBlock | undefined {
    this.#neighbours?.take()
    const kept = this.#slots[number]
    if (kept !== undefined) return kept
    const index = this.#openIndex()
    const blockBytes = index.decodedLengths[number] as number
    const passes = isLarge(blockBytes) && !this.#cache.wantsLarge(blockBytes)
    const large = passes ? this.scannedNow(number) : undefined
    if (large !== undefined) return large
    const stored = this.#storedNow(number)
    if (stored === undefined) return undefined
    const block = this.#admit(number, stored)
    this.#neighbours?.missed(index, number)
    return block
  }

  /** Block `number` for a scan, for the call, where it is at hand. @throws {VarveError} TABLE_CORRUPT, and what the file throws */
  scannedNow(number: number): RowBlock | undefined {
    const index = this.#openIndex()
    const large = isLarge(index.decodedLengths[number] as number)
    const found = large ? this.#large.readNow(index, number) : this.#storedNow(number)
    if (!large && found !== undefined) this.#cache.misses++
    return found instanceof Uint8Array ? this.#admit(number, found) : found
  }

  hold(): void {} // What a fetch holds stays valid by itself: blocks are plain memory.

  /** Who has loaded a block has read it once: only the next to read it is a reason to keep it. */
  letGo(number: number): void {
    const block = this.#slots[number]
    if (block !== undefined) block.touched = false
  }

  isKept(number: number): boolean {
    return this.#slots[number] !== undefined
  }

  keep(number: number, bytes: Uint8Array, piece: BlockPiece): void {
    if (this.#index === undefined || this.#slots[number] !== undefined || !this.#cache.hasRoom(bytes.length)) return
    const place = { file: this.ref.name, part: 'block', offset: this.#index.offsets[number] as number } as const
    const block = new RowBlock(bytes, piece, this, number, place, true)
    if (this.#cache.insert(block)) this.#slots[number] = block
  }

  evicted(number: number): void {
    this.#slots[number] = undefined
  }

  #missed(number: number, fetch: BlockFetch): RowBlock | undefined {
    const held = fetch.find(this, number) as RowBlock | undefined
    if (held !== undefined) return held
    this.#cache.misses++
    const block = this.#loadNow(number)
    if (block === undefined) fetch.want(this, number)
    return block
  }

  #admit(number: number, stored: Uint8Array): RowBlock {
    const block = decodeBlock(this.#openIndex(), number, stored, this, this.#hash, this.#keeping)
    const before = this.#slots[number]
    if (before !== undefined) return before
    if (this.#cache.insert(block)) this.#slots[number] = block
    return block
  }

  #decodeToMerge(number: number, stored: Uint8Array): RowBlock {
    const index = this.#openIndex()
    const passing = this.#passing
    const length = index.decodedLengths[number] as number
    if (!index.packed || packedFault(index.codec, stored, length) !== undefined)
      return decodeBlock(index, number, stored, this, this.#hash, passing)
    // Large ones have what is stored beside them, so that who has a part of the one has the other.
    const memory = passing.memory.take(isLarge(length) ? length + stored.length : length)
    const block = decodeBlock(index, number, stored, this, this.#hash, passing, memory.subarray(0, length))
    if (block.count > 1) return block
    const copy = isLarge(length) ? memory.subarray(length) : new Uint8Array(stored.length)
    copy.set(stored)
    block.lone = new LoneBlock(copy, index.codec, length, block.seqnoAt(0))
    return block
  }

  #storedNow(number: number): Uint8Array | undefined {
    const { offset, length } = this.#extent(number, number + 1)
    return this.#file.readNow(offset, length, this.#cache.stored(length))
  }

  #extent(first: number, limit: number): { offset: number; length: number } {
    const offsets = this.#openIndex().offsets
    const offset = offsets[first] as number
    return { offset, length: (offsets[limit] as number) - offset }
  }

  #openIndex(): RowIndex {
    if (this.#index === undefined) throw new VarveError('CLOSED', `the reader of ${this.ref.name} is closed`)
    return this.#index
  }
}
