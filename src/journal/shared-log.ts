/** One shard's part of a shared log: where its batches are. In memory, made anew from the log when that is opened. */

import { assert } from '../kernel/assert.ts'
import type { ShardId } from '../kernel/ids.ts'

export interface PlacedBatch {
  /** In the shard's journal. */
  readonly position: number
  readonly bytes: number
  /** Where its record begins in the shared log. */
  readonly record: number
  /** Where its payload begins there. */
  readonly payload: number
}

/** Who appends to a part. */
export interface SharedLogOwner {
  /** Where its part ends is settled: another one appends from now on. */
  replaced(): void
  /** What it had under way then did not fit: its part ends at `end`, or before. */
  takenBack(end: number): void
}

export class SharedLog {
  readonly shard: ShardId
  epoch = 0
  /** Whoever opened it last. */
  owner: SharedLogOwner | undefined
  /** Those before, who may have had appends under way. */
  #formers: SharedLogOwner[] = []
  #batches: PlacedBatch[] = []
  #start = 0
  #end = 0

  constructor(shard: ShardId) {
    this.shard = shard
  }

  /** Position of the oldest batch that is there; the end where there is none. */
  get start(): number {
    return this.#start
  }

  get end(): number {
    return this.#end
  }

  /** Gives it to the next owner. */
  handOver(next: SharedLogOwner): void {
    this.owner?.replaced()
    if (this.owner !== undefined) this.#formers.push(this.owner)
    this.owner = next
  }

  /** Everything of owners before the present one is on stable storage. */
  settleFormers(): void {
    this.#formers = []
  }

  /** In order of position. */
  get batches(): readonly PlacedBatch[] {
    return this.#batches
  }

  /** Payload bytes. */
  get bytes(): number {
    return this.#end - this.#start
  }

  /** Where the oldest record that is needed begins; undefined: none is. */
  get recordFirst(): number | undefined {
    let first: number | undefined
    for (const { record } of this.#batches) if (first === undefined || record < first) first = record
    return first
  }

  /** The batch after the last, or one that has been moved within the shared log. False where it fits neither. */
  place(batch: PlacedBatch): boolean {
    if (this.#batches.length === 0 && batch.position >= this.#end) {
      this.#start = batch.position
      this.#end = batch.position
    }
    if (batch.position === this.#end) {
      this.#batches.push(batch)
      this.#end += batch.bytes
      return true
    }
    const at = this.indexOf(batch.position)
    const there = this.#batches[at]
    // Before the start: it was forgotten before it was moved.
    if (there === undefined || batch.position < this.#start) return batch.position < this.#start
    if (there.position !== batch.position || there.bytes !== batch.bytes) return false
    this.#batches[at] = batch
    return true
  }

  /** What a state record says. */
  restore(start: number, end: number): void {
    this.forget(start)
    if (this.#batches.length > 0) return
    this.#start = start
    this.#end = Math.max(end, this.#end)
  }

  /** Drops batches wholly before `before`. */
  forget(before: number): void {
    let count = 0
    for (const { position, bytes } of this.#batches) {
      if (position + bytes > before) break
      count++
    }
    if (count > 0) this.#batches.splice(0, count)
    this.#start = this.#batches[0]?.position ?? this.#end
  }

  /** Takes back batches whose records begin at or after `record` in the shared log. */
  takeBack(record: number): void {
    for (let last = this.#batches.at(-1); last !== undefined && last.record >= record; last = this.#batches.at(-1)) {
      this.#batches.pop()
      this.#end = last.position
    }
    assert(this.#start <= this.#end, 'a log ends before it starts')
    for (const former of this.#formers) former.takenBack(this.#end)
    this.settleFormers()
  }

  /** Index of the batch that holds `position`, or of the first after it. */
  indexOf(position: number): number {
    let low = 0
    let high = this.#batches.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const { position: start, bytes } = this.#batches[middle] as PlacedBatch
      if (start + bytes <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}
