/** A queue of cached blocks, linked through the blocks themselves: any of them leaves in constant time. */

import { assert } from '../kernel/assert.ts'
import type { BlockMemory } from './block-memory.ts'

/** Told when the cache gives a block up. */
export interface CachedBlockOwner {
  /** The block of that number is in the cache no more: its slot is to be cleared. */
  evicted(blockNumber: number): void
}

/** What a cache keeps: a block, with its links and its mark. Formats extend it with their decoded content. */
export abstract class CachedBlock {
  /** Whose block it is. */
  readonly owner: CachedBlockOwner
  /** Position among its owner's blocks, from 0 on. */
  readonly blockNumber: number
  /** Memory it stands for, in bytes. */
  readonly chargeBytes: number
  /** Used since the cache last looked. Set by readers on every use: that is all a hit costs. */
  touched = false
  /** The queue it is in, or undefined when it is not cached. */
  queue: BlockQueue | undefined = undefined
  /** The one in front of it in its queue. */
  before: CachedBlock | undefined = undefined
  /** The one behind it in its queue. */
  after: CachedBlock | undefined = undefined

  /** @param chargeBytes what it counts as in the cache's budget */
  constructor(owner: CachedBlockOwner, blockNumber: number, chargeBytes: number) {
    this.owner = owner
    this.blockNumber = blockNumber
    this.chargeBytes = chargeBytes
  }

  /** A cache keeps it from now on. For formats that count who has a part of their memory. */
  kept(): void {}

  /** No cache keeps it any more. */
  dropped(): void {}

  /** It outlives its neighbours: takes its bytes out of the memory it shares with them. Views of them stay what they are. */
  abstract moveTo(memory: BlockMemory): void
}

/** One of a cache's queues. A block is in one of them at most. */
export class BlockQueue {
  /** Sum of the blocks' charges. */
  bytes = 0
  /** How many blocks are in it. */
  count = 0
  #first: CachedBlock | undefined = undefined
  #last: CachedBlock | undefined = undefined

  /** The one that came first. */
  get first(): CachedBlock | undefined {
    return this.#first
  }

  /** Puts a block that is in no queue behind the others. */
  push(block: CachedBlock): void {
    assert(block.queue === undefined, 'block is in a queue already')
    block.queue = this
    block.before = this.#last
    if (this.#last === undefined) this.#first = block
    else this.#last.after = block
    this.#last = block
    this.bytes += block.chargeBytes
    this.count++
  }

  /** Takes out a block that is in this queue. */
  remove(block: CachedBlock): void {
    assert(block.queue === this, 'block is not in this queue')
    if (block.before === undefined) this.#first = block.after
    else block.before.after = block.after
    if (block.after === undefined) this.#last = block.before
    else block.after.before = block.before
    block.queue = undefined
    block.before = undefined
    block.after = undefined
    this.bytes -= block.chargeBytes
    this.count--
  }
}
