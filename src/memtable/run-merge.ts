/**
 * Runs of records merged into one order, a slice at a time.
 *
 * Runs that follow one another, as those of an ascending load do, are one source. The sources meet in a tree of losers
 * (Knuth, The Art of Computer Programming 3, 5.4.1): the next record costs one comparison a level, of numbers at hand.
 */

import { RUN_HEAD_BYTES } from './key-run.ts'
import type { KeyRun } from './key-run.ts'
import { compareRecords } from './record-keys.ts'
import type { Tree } from './tree.ts'
import type { TreeBuilder } from './tree-builder.ts'

export class RunMerge {
  readonly #tree: Tree
  readonly #sharedBytes: number
  /** Runs of each source, the current one first. */
  readonly #sources: KeyRun[][]
  /** In the current run of each source. */
  readonly #positions: Uint32Array
  /** What each source has next. An ended one has an infinite head. */
  readonly #records: Uint32Array
  readonly #heads: Float64Array
  readonly #tails: Float64Array
  /** At 0 the source whose record is next; at i who lost in node i. Source s enters at (s + count) / 2. */
  readonly #losers: Int32Array

  /** @param runs in order of arrival, not empty, with heads after the same `sharedBytes` */
  constructor(tree: Tree, runs: readonly KeyRun[], sharedBytes: number) {
    this.#tree = tree
    this.#sharedBytes = sharedBytes + RUN_HEAD_BYTES
    this.#sources = chain(tree, runs, sharedBytes)
    const count = this.#sources.length
    this.#positions = new Uint32Array(count)
    this.#records = new Uint32Array(count)
    this.#heads = new Float64Array(count)
    this.#tails = new Float64Array(count)
    this.#losers = new Int32Array(count).fill(-1)
    for (let source = 0; source < count; source++) this.#load(source)
    for (let source = 0; source < count; source++) this.#enter(source)
  }

  /** The records whose keys are first and last. */
  get ends(): readonly [number, number] {
    let last = 0
    for (const source of this.#sources) {
      const run = source[source.length - 1] as KeyRun
      const record = run.records[run.count - 1] as number
      if (last === 0 || compareRecords(this.#tree, record, last, 0) > 0) last = record
    }
    return [this.#records[this.#losers[0] as number] as number, last]
  }

  /** Appends up to `count` records to `builder`; false where there are no more. */
  take(count: number, builder: TreeBuilder): boolean {
    const losers = this.#losers
    const sources = losers.length
    for (let left = count; left > 0; left--) {
      const source = losers[0] as number
      const head = this.#heads[source] as number
      if (head === Infinity) return false
      builder.append(this.#records[source] as number, head, this.#tails[source] as number)
      this.#positions[source] = (this.#positions[source] as number) + 1
      this.#load(source)
      let winner = source
      for (let node = (source + sources) >>> 1; node > 0; node >>>= 1) {
        const other = losers[node] as number
        if (this.#isBefore(other, winner)) {
          losers[node] = winner
          winner = other
        }
      }
      losers[0] = winner
    }
    return true
  }

  /** Takes up what `source` has next. */
  #load(source: number): void {
    const runs = this.#sources[source] as KeyRun[]
    let run = runs[0] as KeyRun
    let at = this.#positions[source] as number
    if (at === run.count) {
      if (runs.length === 1) {
        this.#heads[source] = Infinity
        return
      }
      runs.shift()
      run = runs[0] as KeyRun
      this.#positions[source] = at = 0
    }
    this.#records[source] = run.records[at] as number
    this.#heads[source] = run.heads[at] as number
    this.#tails[source] = run.tails[at] as number
  }

  /** Plays a source against those that have entered, up to the first node where nobody is yet. */
  #enter(source: number): void {
    const losers = this.#losers
    let winner = source
    for (let node = (source + losers.length) >>> 1; node > 0; node >>>= 1) {
      const other = losers[node] as number
      if (other < 0) {
        losers[node] = winner
        return
      }
      if (this.#isBefore(other, winner)) {
        losers[node] = winner
        winner = other
      }
    }
    losers[0] = winner
  }

  /** Of equal keys the one that arrived first comes first. */
  #isBefore(a: number, b: number): boolean {
    const head = this.#heads[a] as number
    const otherHead = this.#heads[b] as number
    if (head !== otherHead) return head < otherHead
    if (head === Infinity) return a < b
    const tail = this.#tails[a] as number
    const otherTail = this.#tails[b] as number
    if (tail !== otherTail) return tail < otherTail
    const [record, other] = [this.#records[a] as number, this.#records[b] as number]
    const comparison = compareRecords(this.#tree, record, other, this.#sharedBytes)
    return comparison === 0 ? a < b : comparison < 0
  }
}

/** Neighbours of which one ends at or before where the other begins, together. */
function chain(tree: Tree, runs: readonly KeyRun[], sharedBytes: number): KeyRun[][] {
  const sources: KeyRun[][] = []
  let before: KeyRun | undefined
  for (const run of runs) {
    const last = before?.records[before.count - 1]
    const follows = last !== undefined && compareRecords(tree, last, run.records[0] as number, sharedBytes) <= 0
    if (follows) sources[sources.length - 1]?.push(run)
    else sources.push([run])
    before = run
  }
  return sources
}
