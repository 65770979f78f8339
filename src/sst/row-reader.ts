/**
 * Reads one row table.
 *
 * A lookup is: filter, binary search over the heads of the index, a slot, binary search over the heads of a block. No
 * map, no allocation, no await. What is missing goes into the caller's `BlockFetch`.
 */

import type { Cursor, CursorOptions, Pending } from '../kernel/cursor.ts'
import { PENDING } from '../kernel/cursor.ts'
import { VarveError } from '../kernel/errors.ts'
import type { FileRef } from '../kernel/file-ref.ts'
import { foundDeletion } from '../kernel/found.ts'
import type { Found } from '../kernel/found.ts'
import type { Hash } from '../kernel/hash.ts'
import type { Seqno } from '../kernel/ids.ts'
import type { KeyOrder } from '../kernel/key-order.ts'
import { isEmptyRange } from '../kernel/key-range.ts'
import type { KeyRange } from '../kernel/key-range.ts'
import type { RangeTombstones } from '../kernel/range-tombstone.ts'
import type { FileReader, ReadOptions } from '../fs/fs.ts'
import type { BlockCache } from './block-cache.ts'
import type { BlockKeeping } from './block-codec.ts'
import type { BlockPiece } from './block-memory.ts'
import type { BlockFetch, BlockSource } from './block-fetch.ts'
import type { CachedBlockOwner } from './block-queue.ts'
import { KeyScratch } from './key-scratch.ts'
import { isLarge, LargeBlocks } from './large-blocks.ts'
import { RowBlock } from './row-block.ts'
import { ROW_ABSENT, ROW_BEYOND, findInBlock, findInBlockBy } from './row-block-search.ts'
import { Neighbours } from './neighbours.ts'
import type { NeighbourOwner } from './neighbours.ts'
import { decodeBlock } from './row-block-decode.ts'
import { RowCursor } from './row-cursor.ts'
import { RowMeta, footerOf, tailGuess } from './row-meta.ts'
import { blockSpan } from './row-span.ts'
import { verifyRowTable } from './row-verify.ts'
import type { TableProperties, TableReader, TableReaderOptions } from './sst.ts'

/** Block number under which a fetch asks for the meta. */
const META = -1

export class RowTableReader implements TableReader, BlockSource, CachedBlockOwner, NeighbourOwner {
  readonly order: KeyOrder
  readonly hash: Hash
  readonly #file: FileReader
  readonly #cache: BlockCache
  readonly #keeping: BlockKeeping
  readonly #passing: BlockKeeping
  readonly #large: LargeBlocks
  readonly #neighbours: Neighbours | undefined
  readonly #loads = new Map<number, Promise<object>>()
  readonly #scratch = new KeyScratch()
  #slots: (RowBlock | undefined)[] = []
  #meta: RowMeta | undefined = undefined
  #closed = false

  constructor(file: FileReader, options: TableReaderOptions) {
    this.#file = file
    this.order = options.order
    this.hash = options.hash
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

  get(key: Uint8Array, keyHash: number, seqno: Seqno, into: Found, fetch: BlockFetch): boolean | Pending {
    const meta = this.#meta
    if (meta === undefined) return this.#wantMeta(fetch)
    if (meta.rangeTombstones.count !== 0) return this.#getCovered(meta, key, keyHash, seqno, into, fetch)
    return this.#find(meta, key, keyHash, seqno, into, fetch)
  }

  #getCovered(
    meta: RowMeta,
    key: Uint8Array,
    keyHash: number,
    seqno: Seqno,
    into: Found,
    fetch: BlockFetch,
  ): boolean | Pending {
    const covered = meta.rangeTombstones.newest(key, 0, key.length, seqno)
    // At its last seqno nothing in the table is newer: no block has to be looked at.
    if (covered !== meta.properties.seqnoLast) {
      const found = this.#find(meta, key, keyHash, seqno, into, fetch)
      if (found === PENDING || covered === 0 || (found && into.seqno > covered)) return found
    }
    return foundDeletion(into, covered)
  }

  #find(
    meta: RowMeta,
    key: Uint8Array,
    keyHash: number,
    seqno: Seqno,
    into: Found,
    fetch: BlockFetch,
  ): boolean | Pending {
    if (meta.filter !== undefined && !meta.filter.mayContain(keyHash)) return false
    const index = meta.index
    for (let number = index.lowerBound(key); number < index.blockCount; number++) {
      let block = this.#slots[number]
      if (block === undefined) {
        block = this.#missed(number, fetch)
        if (block === undefined) return PENDING
      } else {
        this.#cache.hits++
        // Written once: the mark of a block that is hot stays as it is.
        if (!block.touched) block.touched = true
      }
      const at = this.order.bytewise
        ? findInBlock(block, key, seqno)
        : findInBlockBy(block, this.order, key, seqno, this.#scratch)
      if (at >= 0) {
        block.foundAt(at, into)
        return true
      }
      // Past the end of a block whose separator is the key, older versions may go on in the next.
      if (at === ROW_ABSENT || (at === ROW_BEYOND && !index.isSeparator(number, key))) return false
    }
    return false
  }

  /** Block `number`, which the cache lacks, where it is at hand. */
  #missed(number: number, fetch: BlockFetch): RowBlock | undefined {
    const held = fetch.find(this, number) as RowBlock | undefined
    if (held !== undefined) return held
    this.#cache.misses++
    const block = this.#blockNow(number)
    if (block === undefined) fetch.want(this, number)
    return block
  }

  cursor(options: CursorOptions, intent: 'point' | 'stream' = 'point'): Cursor {
    this.#checkOpen()
    return new RowCursor(this, options, intent)
  }

  properties(fetch: BlockFetch): TableProperties | Pending {
    return this.#meta === undefined ? this.#wantMeta(fetch) : this.#meta.properties
  }

  rangeTombstones(fetch: BlockFetch): RangeTombstones | Pending {
    return this.#meta === undefined ? this.#wantMeta(fetch) : this.#meta.rangeTombstones
  }

  approximateBytes(range: KeyRange, fetch: BlockFetch): number | Pending {
    const meta = this.#meta
    if (meta === undefined) return this.#wantMeta(fetch)
    if (isEmptyRange(range, this.order)) return 0
    const { first, limit } = blockSpan(meta.index, range)
    return (meta.index.offsets[limit] as number) - (meta.index.offsets[first] as number)
  }

  async verify(level: 'bytes' | 'structure', signal?: AbortSignal): Promise<void> {
    this.#checkOpen()
    await verifyRowTable(this.#file, level, this.hash, this.order, signal)
  }

  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      for (const block of this.#slots) if (block !== undefined) this.#cache.remove(block)
      this.#slots = []
      if (this.#meta !== undefined) this.#cache.unpin(this.#meta.memoryBytes)
      this.#meta = undefined
    }
    await this.#file.close()
  }

  /** Undefined until it has been loaded, for good until `close`. */
  get meta(): RowMeta | undefined {
    return this.#meta
  }

  async loadMeta(): Promise<RowMeta> {
    return (await this.load(META)) as RowMeta
  }

  loadMetaSync(): RowMeta {
    return this.loadSync(META) as RowMeta
  }

  /** Block `number` if the cache has it. @param touch it counts as a use */
  cached(number: number, touch: boolean): RowBlock | undefined {
    const block = this.#slots[number]
    if (block !== undefined && touch) {
      this.#cache.hits++
      block.touched = true
    }
    return block
  }

  /** Stored bytes of blocks [first, limit), in one piece. */
  async readBlocks(first: number, limit: number, options: ReadOptions): Promise<Uint8Array> {
    const { offset, length } = this.#extent(first, limit)
    return await this.#file.read(offset, length, options)
  }

  readBlocksSync(first: number, limit: number): Uint8Array {
    const { offset, length } = this.#extent(first, limit)
    return this.#file.readSync(offset, length)
  }

  /**
   * Checks and decodes the stored bytes of block `number`.
   *
   * @param keep offers it to the cache. The block has memory of its own either way.
   * @throws {VarveError} TABLE_CORRUPT
   */
  decode(number: number, stored: Uint8Array, keep: boolean): RowBlock {
    const keeping = keep ? this.#keeping : this.#passing
    const block = decodeBlock(this.#openMeta().index, number, stored, this, this.hash, keeping)
    if (keep) {
      this.#cache.misses++
      if (this.#slots[number] === undefined && this.#cache.insert(block)) this.#slots[number] = block
    }
    return block
  }

  isKept(number: number): boolean {
    return this.#slots[number] !== undefined
  }

  keep(number: number, bytes: Uint8Array, piece: BlockPiece): void {
    if (this.#meta === undefined || this.#slots[number] !== undefined || !this.#cache.hasRoom(bytes.length)) return
    const place = { file: this.ref.name, part: 'block', offset: this.#meta.index.offsets[number] as number } as const
    const block = new RowBlock(bytes, piece, this, number, place, true)
    if (this.#cache.insert(block)) this.#slots[number] = block
  }

  evicted(blockNumber: number): void {
    this.#slots[blockNumber] = undefined
  }

  async load(number: number): Promise<object> {
    let load = this.#loads.get(number)
    if (load === undefined) {
      load = this.#load(number)
      this.#loads.set(number, load)
    }
    try {
      return await load
    } finally {
      if (this.#loads.get(number) === load) this.#loads.delete(number)
    }
  }

  loadSync(number: number): object {
    this.#checkOpen()
    if (number === META) {
      if (this.#meta !== undefined) return this.#meta
      const bytes = this.ref.bytes
      let tail = this.#file.readSync(bytes - tailGuess(bytes), tailGuess(bytes))
      const footer = footerOf(tail, this.ref, this.hash)
      if (footer.ranges.offset < bytes - tail.length) {
        tail = this.#file.readSync(footer.ranges.offset, bytes - footer.ranges.offset)
      }
      return this.#keepMeta(new RowMeta(tail, footer, this.ref, this.hash, this.order))
    }
    const { offset, length } = this.#extent(number, number + 1)
    return this.#slots[number] ?? this.#admit(number, this.#file.readSync(offset, length, this.#cache.stored(length)))
  }

  /** The meta may be large: whoever lacks it waits. */
  loadNow(number: number): object | undefined {
    return number === META ? this.#meta : this.#blockNow(number)
  }

  #blockNow(number: number): RowBlock | undefined {
    this.#neighbours?.take()
    const kept = this.#slots[number]
    if (kept !== undefined) return kept
    const { index } = this.#openMeta()
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

  /** Block `number` for a scan, where it is at hand. @throws {VarveError} TABLE_CORRUPT, and what the file throws */
  scannedNow(number: number): RowBlock | undefined {
    const { index } = this.#openMeta()
    const large = isLarge(index.decodedLengths[number] as number)
    const found = large ? this.#large.readNow(index, number) : this.#storedNow(number)
    if (!large && found !== undefined) this.#cache.misses++
    return found instanceof Uint8Array ? this.#admit(number, found) : found
  }

  hold(): void {} // What a fetch holds stays valid by itself: blocks are plain memory.

  /** Who has loaded a block has read it once: only the next to read it is a reason to keep it. */
  letGo(blockNumber: number): void {
    const block = this.#slots[blockNumber]
    if (block !== undefined) block.touched = false
  }

  async #load(number: number): Promise<object> {
    this.#checkOpen()
    if (number === META) {
      if (this.#meta !== undefined) return this.#meta
      const bytes = this.ref.bytes
      let tail = await this.#file.read(bytes - tailGuess(bytes), tailGuess(bytes))
      const footer = footerOf(tail, this.ref, this.hash)
      if (footer.ranges.offset < bytes - tail.length) {
        tail = await this.#file.read(footer.ranges.offset, bytes - footer.ranges.offset)
      }
      return this.#keepMeta(new RowMeta(tail, footer, this.ref, this.hash, this.order))
    }
    return this.#slots[number] ?? this.#admit(number, await this.readBlocks(number, number + 1, {}))
  }

  #admit(number: number, stored: Uint8Array): RowBlock {
    const block = decodeBlock(this.#openMeta().index, number, stored, this, this.hash, this.#keeping)
    const before = this.#slots[number]
    if (before !== undefined) return before
    if (this.#cache.insert(block)) this.#slots[number] = block
    return block
  }

  #keepMeta(meta: RowMeta): RowMeta {
    this.#checkOpen()
    if (this.#meta !== undefined) return this.#meta
    this.#meta = meta
    this.#slots = Array.from({ length: meta.index.blockCount }, () => undefined)
    this.#cache.pin(meta.memoryBytes)
    return meta
  }

  #wantMeta(fetch: BlockFetch): Pending {
    this.#checkOpen()
    fetch.want(this, META)
    return PENDING
  }

  #openMeta(): RowMeta {
    this.#checkOpen()
    if (this.#meta === undefined) throw new VarveError('CLOSED', `${this.ref.name} has not been loaded`)
    return this.#meta
  }

  #checkOpen(): void {
    if (this.#closed) throw new VarveError('CLOSED', `the reader of ${this.ref.name} is closed`)
  }

  #storedNow(number: number): Uint8Array | undefined {
    const { offset, length } = this.#extent(number, number + 1)
    return this.#file.readNow(offset, length, this.#cache.stored(length))
  }

  #extent(first: number, limit: number): { offset: number; length: number } {
    const offsets = this.#openMeta().index.offsets
    const offset = offsets[first] as number
    return { offset, length: (offsets[limit] as number) - offset }
  }
}
