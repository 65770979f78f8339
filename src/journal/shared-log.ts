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

  /** What was found of it: `batches` in order, each from where the one before ends, up to `end` if they come that far. */
  restore(end: number, batches: readonly PlacedBatch[]): void {
    const last = batches.at(-1)
    this.#batches = last === undefined || last.position + last.bytes < end ? [] : [...batches]
    this.#start = this.#batches[0]?.position ?? end
    this.#end = end
  }

  /** The batch after the last, or one that has been moved within the shared log. Nothing where that was forgotten meanwhile. */
  place(batch: PlacedBatch): void {
    if (batch.position === this.#end) {
      this.#batches.push(batch)
      this.#end += batch.bytes
      return
    }
    if (batch.position < this.#start) return
    const at = this.indexOf(batch.position)
    const there = this.#batches[at]
    assert(there?.position === batch.position, 'a batch follows none, and none was in its place')
    assert(there.bytes === batch.bytes, 'a batch that was moved has another length')
    this.#batches[at] = batch
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
