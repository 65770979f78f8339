/**
 * Blocks beside those that were missed, decoded by a thread while the cache has room for them.
 *
 * A get that has to load its block takes five times as long as one that has not, and who has missed dozens of blocks will miss
 * others. What the system has in memory is read, a few dozen blocks at a time, and decoded beside the event loop; the next
 * miss, or turn of the event loop, puts it into the cache. No disk is read for it, and no block pushed out. The first 41,000 gets
 * of a process among a million keys take a third less time (docs/performance-notes.md).
 *
 * The idea is InnoDB's random read-ahead: of an extent in use the rest is read.
 */

import { DecodeTasks } from '../kernel/decode-tasks.ts'
import type { DecodeThread } from '../kernel/decode-thread.ts'
import type { FileReader } from '../fs/fs.ts'
import type { BlockCache } from './block-cache.ts'
import type { BlockPiece } from './block-memory.ts'
import { PART_BLOCK, partSeed } from './file-identity.ts'
import { isLarge } from './large-blocks.ts'
import type { RowIndex } from './row-index.ts'

// Of default size they are 256 KiB in memory: a quarter of a millisecond of the thread's.
const GROUP_BLOCKS = 32
// Who reads a few keys does not pay for their neighbours.
const MISSES_BEFORE = 64
// Blocks that are decoded already, at most, in a group worth reading.
const HELD_MAX = GROUP_BLOCKS / 2

/** Whose blocks they are. */
export interface NeighbourOwner {
  isKept(blockNumber: number): boolean
  /** Block `blockNumber` is at the start of `bytes`, a part of `piece`. Must not throw. */
  keep(blockNumber: number, bytes: Uint8Array, piece: BlockPiece): void
}

export class Neighbours {
  readonly #file: FileReader
  readonly #owner: NeighbourOwner
  readonly #cache: BlockCache
  readonly #thread: DecodeThread
  /** 1 for groups that have been asked for. */
  #begun: Uint8Array | undefined

  constructor(file: FileReader, owner: NeighbourOwner, cache: BlockCache, thread: DecodeThread) {
    this.#file = file
    this.#owner = owner
    this.#cache = cache
    this.#thread = thread
  }

  /** Puts what has been decoded since into the cache. */
  take(): void {
    this.#thread.poll()
  }

  /** Block `number`, which the system had in memory, had to be loaded: its group may be worth it. */
  missed(index: RowIndex, number: number): void {
    if (!index.packed || this.#cache.misses < MISSES_BEFORE) return
    const group = Math.floor(number / GROUP_BLOCKS)
    const begun = (this.#begun ??= new Uint8Array(Math.ceil(index.blockCount / GROUP_BLOCKS)))
    if (begun[group] === 1) return
    const first = group * GROUP_BLOCKS
    const limit = Math.min(first + GROUP_BLOCKS, index.blockCount)
    const offset = index.offsets[first] as number
    const length = (index.offsets[limit] as number) - offset
    const room = this.#thread.room(length)
    if (room === undefined) return
    begun[group] = 1
    const wanted = this.#wanted(index, first, limit)
    if (wanted.length < HELD_MAX) return
    const bytes = wanted.reduce((sum, each) => sum + blockRoom(index, each), 0)
    if (!this.#cache.hasRoom(bytes)) return
    const stored = this.#readNow(offset, length, room)
    if (stored !== undefined) this.#begin(index, wanted, stored, offset)
  }

  /** What is wrong with neighbours is nothing to whoever wanted another block: it is told when they are asked for. */
  #readNow(offset: number, length: number, room: Uint8Array): Uint8Array | undefined {
    try {
      return this.#file.readNow(offset, length, room)
    } catch {
      return undefined
    }
  }

  #wanted(index: RowIndex, first: number, limit: number): number[] {
    const wanted: number[] = []
    for (let number = first; number < limit; number++) {
      if (!isLarge(index.decodedLengths[number] as number) && !this.#owner.isKept(number)) wanted.push(number)
    }
    return wanted
  }

  #begin(index: RowIndex, wanted: readonly number[], stored: Uint8Array, offset: number): void {
    const tasks = new DecodeTasks(wanted.length)
    let end = 0
    wanted.forEach((number, at) => {
      const start = index.offsets[number] as number
      const storedLength = (index.offsets[number + 1] as number) - start
      tasks.place(at, start - offset, storedLength, end, index.decodedLengths[number] as number)
      tasks.check(at, partSeed(index.birth, PART_BLOCK, start), index.checksums[number] as bigint)
      end += blockRoom(index, number)
    })
    const memory = this.#cache.groupMemory.take(end)
    const piece = this.#cache.groupMemory.pieceOf(memory)
    piece.use()
    this.#thread.begin(stored, memory, tasks, () => {
      wanted.forEach((number, at) => {
        if (!tasks.isDone(at)) return
        const start = tasks.blockStart(at)
        this.#owner.keep(number, memory.subarray(start, start + tasks.blockLength(at)), piece)
      })
      piece.leave()
    })
  }
}

/** Blocks begin at multiples of eight. */
function blockRoom(index: RowIndex, number: number): number {
  return Math.ceil((index.decodedLengths[number] as number) / 8) * 8
}
