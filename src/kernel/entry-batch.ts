/**
 * A reused batch of entries: what cursors fill and merges, writers and scans consume.
 *
 *      entry i    keys   [keyStarts[i] … keyStarts[i + 1])      copied: blocks may store keys in pieces
 *                 value  blocks[valueBlocks[i]] [valueStarts[i] … + valueLengths[i])      borrowed
 *                 heads[i]   first four bytes of the key, see headOf()
 *                 seqnos[i], kinds[i]
 *
 * Numbers in typed arrays and values by reference: no object per entry, no call per entry (a megamorphic call costs
 * 9 ns). Entries are valid until the cursor that filled the batch is asked again or closed.
 */

import { assert } from './assert.ts'
import { copyRange, headOf } from './bytes.ts'

export const ENTRY_BATCH_CAPACITY = 256

export class EntryBatch {
  /** Entries at most. */
  readonly capacity: number
  /** Entries now. */
  count = 0
  /** Key bytes of all entries, back to back. Replaced when it has to grow. */
  keys: Uint8Array
  /** capacity + 1 offsets into `keys`. */
  readonly keyStarts: Uint32Array
  readonly heads: Uint32Array
  readonly seqnos: Float64Array
  readonly kinds: Uint8Array
  /** What values point into. */
  readonly blocks: Uint8Array[] = []
  readonly valueBlocks: Uint16Array
  readonly valueStarts: Uint32Array
  readonly valueLengths: Uint32Array

  constructor(capacity: number = ENTRY_BATCH_CAPACITY) {
    assert(capacity > 0 && capacity < 0x10000, 'capacity must be 1 … 65535')
    this.capacity = capacity
    this.keys = new Uint8Array(capacity * 32)
    this.keyStarts = new Uint32Array(capacity + 1)
    this.heads = new Uint32Array(capacity)
    this.seqnos = new Float64Array(capacity)
    this.kinds = new Uint8Array(capacity)
    this.valueBlocks = new Uint16Array(capacity)
    this.valueStarts = new Uint32Array(capacity)
    this.valueLengths = new Uint32Array(capacity)
  }

  get full(): boolean {
    return this.count === this.capacity
  }

  /** Forgets all entries and lets go of their blocks. */
  clear(): void {
    this.count = 0
    this.blocks.length = 0
  }

  /** Index of `block` in `blocks`, added unless it was the last one named. */
  block(block: Uint8Array): number {
    const last = this.blocks.length - 1
    if (last >= 0 && this.blocks[last] === block) return last
    return this.blocks.push(block) - 1
  }

  /** Makes room for a key of `length` bytes and returns where it starts; the caller writes it there, then calls `push`. */
  reserveKey(length: number): number {
    const start = this.keyStarts[this.count] as number
    const needed = start + length
    if (needed > this.keys.length) {
      const grown = new Uint8Array(Math.max(needed, this.keys.length * 2))
      grown.set(this.keys.subarray(0, start))
      this.keys = grown
    }
    return start
  }

  /** Adds the entry whose key of `keyLength` bytes was written at `reserveKey()`. Not when full. */
  push(
    keyLength: number,
    seqno: number,
    kind: number,
    valueBlock: number,
    valueStart: number,
    valueLength: number,
  ): void {
    const index = this.count
    const start = this.keyStarts[index] as number
    const limit = start + keyLength
    this.keyStarts[index + 1] = limit
    this.heads[index] = headOf(this.keys, start, limit)
    this.seqnos[index] = seqno
    this.kinds[index] = kind
    this.valueBlocks[index] = valueBlock
    this.valueStarts[index] = valueStart
    this.valueLengths[index] = valueLength
    this.count = index + 1
  }

  /** Copies entry `index` of `source` to the end of this batch. Not when full. */
  pushFrom(source: EntryBatch, index: number): void {
    const start = source.keyStarts[index] as number
    const length = (source.keyStarts[index + 1] as number) - start
    const target = this.reserveKey(length)
    copyRange(source.keys, start, length, this.keys, target)
    const block = this.block(source.blocks[source.valueBlocks[index] as number] as Uint8Array)
    this.push(
      length,
      source.seqnos[index] as number,
      source.kinds[index] as number,
      block,
      source.valueStarts[index] as number,
      source.valueLengths[index] as number,
    )
  }

  /** Copies entries [start, limit) of `source`, in one go, to the end of this batch. There must be room for them. */
  pushRange(source: EntryBatch, start: number, limit: number): void {
    const sourceStarts = source.keyStarts
    const keyStarts = this.keyStarts
    const firstByte = sourceStarts[start] as number
    const keyBytes = (sourceStarts[limit] as number) - firstByte
    const target = this.reserveKey(keyBytes)
    copyRange(source.keys, firstByte, keyBytes, this.keys, target)
    const shift = target - firstByte
    let count = this.count
    for (let index = start; index < limit; index++, count++) {
      keyStarts[count + 1] = (sourceStarts[index + 1] as number) + shift
      this.heads[count] = source.heads[index] as number
      this.seqnos[count] = source.seqnos[index] as number
      this.kinds[count] = source.kinds[index] as number
      this.valueBlocks[count] = this.block(source.blocks[source.valueBlocks[index] as number] as Uint8Array)
      this.valueStarts[count] = source.valueStarts[index] as number
      this.valueLengths[count] = source.valueLengths[index] as number
    }
    this.count = count
  }

  /** A copy of key `index`. */
  keyAt(index: number): Uint8Array {
    return this.keys.slice(this.keyStarts[index], this.keyStarts[index + 1])
  }

  /** A view of value `index`, as long-lived as the entry. */
  valueViewAt(index: number): Uint8Array {
    const block = this.blocks[this.valueBlocks[index] as number] as Uint8Array
    const start = this.valueStarts[index] as number
    return block.subarray(start, start + (this.valueLengths[index] as number))
  }

  /** A copy of value `index`, never shared memory. */
  valueAt(index: number): Uint8Array {
    const view = this.valueViewAt(index)
    const copy = new Uint8Array(view.length)
    copy.set(view)
    return copy
  }
}
