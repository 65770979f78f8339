/**
 * The block cache: one budget and one order of eviction over the decoded blocks of all readers.
 *
 * It holds no map. Every reader has a slot per block, so that a hit is an array access and a mark; the cache knows which
 * block goes next and tells its owner, which clears the slot.
 *
 *      insert ──► probation (first in, first out) ──not touched──► out
 *                       │ touched
 *                       ▼
 *                 kept (clock: touched blocks get another round) ──not touched──► out
 *
 * New blocks pass through a small probation queue, so a scan through cold blocks pushes out only others on probation.
 * The two queues are those of S3-FIFO (Yang et al., SOSP 2023) without its ghosts.
 *
 * Blocks share memory with those that came at the same time, and leave it in that order; one that stays is copied to where
 * others that stay are, every time it gets another round. So what is kept is what the budget says.
 *
 * Large blocks, of one value, mostly pass it by (`sst/large-blocks.ts`).
 *
 * Indexes and filters of open tables are pinned, and copies of single entries that an engine keeps: they count in the
 * budget and leave less of it for blocks.
 */

import { KIB } from '../kernel/limits.ts'
import { BlockMemory } from './block-memory.ts'
import { BlockQueue } from './block-queue.ts'
import type { CachedBlock } from './block-queue.ts'
import { resolveBlockCacheSettings } from './block-cache-settings.ts'
import type { BlockCacheSettings } from './block-cache-settings.ts'

// What is stored of a block of default size has room in the first.
const STORED_BYTES_FIRST = 64 * KIB
const STORED_BYTES_MAX = 1024 * KIB
// Dozens of blocks that are decoded together have room in a piece of memory.
const GROUP_BYTES_MAX = 512 * KIB
// Every source of a merge has a block that keeps its piece from being used again: a dozen of them, less than a megabyte for each.
const PASSING_PIECE_BYTES_MAX = 256 * KIB
// Of the large blocks that would push out others: so many are loaded again before one is kept that keeping costs little, and
// few enough that one which is read often is kept soon.
const LARGE_ONE_IN = 16
// Entries that are read often are few, and weigh little beside the blocks around them.
const ENTRY_SHARE = 1 / 16

/** Of one cache, at one moment. Counts are since it was made. */
export interface BlockCacheStatistics {
  /** Blocks found in memory, and not found. */
  readonly hits: number
  /** Blocks that were asked for and not found in memory. */
  readonly misses: number
  /** Blocks that had to go for others. */
  readonly evictions: number
  /** Decoded blocks kept now. */
  readonly blockCount: number
  /** Memory of those, in bytes. */
  readonly blockBytes: number
  /** Memory of indexes and filters of open tables, and of copies of entries that are read often, in bytes. */
  readonly pinnedBytes: number
}

/** Blocks of any number of tables within one budget. Synchronous; one thread's. */
export class BlockCache {
  /** As they are in force, complete. */
  readonly settings: BlockCacheSettings
  /** Counted by the readers, which are the ones to know. */
  hits = 0
  /** Counted by the readers. */
  misses = 0
  #evictions = 0
  #pinnedBytes = 0
  #entryBytes = 0
  /** For blocks that are going to be offered. */
  readonly memory = new BlockMemory()
  /** For blocks that are read once. */
  readonly passingMemory = new BlockMemory(undefined, PASSING_PIECE_BYTES_MAX)
  /** For groups of blocks that are decoded together. */
  readonly groupMemory = new BlockMemory(GROUP_BYTES_MAX)
  /** For blocks that are given away: each has a buffer. */
  readonly ownMemory = new BlockMemory(0)
  #largeCount = 0
  /** Made by the first block that is read. */
  #stored: Uint8Array | undefined
  readonly #keptMemory = new BlockMemory()
  readonly #probation = new BlockQueue()
  readonly #kept = new BlockQueue()

  /** @throws {TypeError | RangeError} settings */
  constructor(settings: Partial<BlockCacheSettings> = {}) {
    this.settings = resolveBlockCacheSettings(settings)
  }

  /** What it holds and has done so far. */
  get statistics(): BlockCacheStatistics {
    return {
      hits: this.hits,
      misses: this.misses,
      evictions: this.#evictions,
      blockCount: this.#probation.count + this.#kept.count,
      blockBytes: this.#probation.bytes + this.#kept.bytes,
      pinnedBytes: this.#pinnedBytes,
    }
  }

  /** Memory for the stored bytes of a block until they are decoded, before the next call: at least `length`, or undefined. */
  stored(length: number): Uint8Array | undefined {
    if (length > STORED_BYTES_MAX) return undefined
    const stored = this.#stored
    if (stored !== undefined && stored.length >= length) return stored
    return (this.#stored = new Uint8Array(length <= STORED_BYTES_FIRST ? STORED_BYTES_FIRST : STORED_BYTES_MAX))
  }

  /**
   * Whether a large block is worth keeping that can be loaded again at little more than the price of a copy: while there is room,
   * and then one in sixteen. To keep all turned the cache over for nothing: gets of 16 KiB from 160 MiB, with 64 MiB of cache,
   * took 37 µs in place of 22.
   */
  wantsLarge(chargeBytes: number): boolean {
    if (this.hasRoom(chargeBytes)) return true
    this.#largeCount = (this.#largeCount + 1) % LARGE_ONE_IN
    return this.#largeCount === 0
  }

  /** Whether a block could be kept without another having to go. */
  hasRoom(chargeBytes: number): boolean {
    return this.#probation.bytes + this.#kept.bytes + chargeBytes <= this.#blockBudget()
  }

  /** Offers a block. True when it is kept: its owner puts it into its slot, until `evicted` says otherwise. */
  insert(block: CachedBlock): boolean {
    if (block.chargeBytes > this.#blockBudget()) return false
    block.touched = false
    this.#probation.push(block)
    block.kept()
    this.#shrink()
    return block.queue !== undefined
  }

  /** Takes a block out, if it is in; its owner is not told. */
  remove(block: CachedBlock): void {
    if (block.queue === undefined) return
    block.queue.remove(block)
    block.dropped()
  }

  /** Counts `bytes` that an open table needs. */
  pin(bytes: number): void {
    this.#pinnedBytes += bytes
    this.#shrink()
  }

  /** Takes back what `pin` has counted. */
  unpin(bytes: number): void {
    this.#pinnedBytes -= bytes
  }

  /** What copies of entries may take, of all shards that share this cache together. */
  get entryBytesMax(): number {
    return this.settings.cacheBytes * ENTRY_SHARE
  }

  /** Counts `bytes` for copies of entries; false, and nothing, where that would be more than they may take. */
  pinEntries(bytes: number): boolean {
    if (this.#entryBytes + bytes > this.entryBytesMax) return false
    this.#entryBytes += bytes
    this.pin(bytes)
    return true
  }

  /** Takes back what `pinEntries` has counted. */
  unpinEntries(bytes: number): void {
    this.#entryBytes -= bytes
    this.unpin(bytes)
  }

  #blockBudget(): number {
    return Math.max(0, this.settings.cacheBytes - this.#pinnedBytes)
  }

  #shrink(): void {
    const budget = this.#blockBudget()
    const probationBytes = budget * this.settings.probationShare
    while (this.#probation.bytes + this.#kept.bytes > budget) {
      const fromProbation = this.#probation.bytes > probationBytes || this.#kept.count === 0
      const queue = fromProbation ? this.#probation : this.#kept
      const block = queue.first
      if (block === undefined) return
      queue.remove(block)
      if (block.touched) {
        block.touched = false
        block.moveTo(this.#keptMemory)
        this.#kept.push(block)
      } else {
        this.#evictions++
        block.owner.evicted(block.blockNumber)
        block.dropped()
      }
    }
  }
}
