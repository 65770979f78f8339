/** What a workload is, and what it is given to run. */

import type { Chunk } from '../data/chunk.ts'
import type { Digest, Model } from '../data/model.ts'
import type { Values } from '../data/values.ts'
import type { Stopwatch } from '../measure/stopwatch.ts'
import type { Store, StoreSupport } from '../peers/peer.ts'

export interface Workload {
  /** In the vocabulary of db_bench, then what is particular: `fillrandom/100`. */
  readonly name: string
  readonly title: string
  /** What is counted. */
  readonly unit: string
  /** `empty`: a new directory; `prepared`: the filled one, unchanged; `copy`: a copy of it. */
  readonly data: 'empty' | 'prepared' | 'copy'
  readonly needs?: keyof StoreSupport
  /** Whether what it measures is `synced`. Default: `written`. */
  readonly synced?: boolean
  /** `false`: what is read or held in the end depends on time, so two peers may differ. Default true. */
  readonly agrees?: boolean
  /** How many operations over `keys` keys, where time allows. */
  operations(keys: number): number
  run(run: Run): Promise<void>
}

export interface Run {
  readonly store: Store
  /** Keys that the prepared data hold; with an empty directory, that a complete fill writes. */
  readonly keys: number
  readonly operations: number
  readonly values: Values
  readonly model: Model
  /** Of the results of reads. */
  readonly seen: Digest
  /** The same from the model, made while the clock stands still. */
  readonly wanted: Digest
  readonly stopwatch: Stopwatch
  /** How long the measured part may take. */
  readonly budgetMs: number
  /** Further figures, by a name that ends in their unit. */
  readonly figures: Record<string, number>
  /** Operations that were measured. */
  done: number
  progress(): void
}

/**
 * Runs `run.operations` in chunks: `prepare` fills a chunk while the clock stands still, `measure` works on it and says
 * how many operations it came to, `account` tells the model.
 */
export async function inChunks(
  run: Run,
  chunk: Chunk,
  steps: {
    prepare(at: number, operation: number): void
    measure(size: number): Promise<number> | number
    account(at: number, operation: number): void
  },
): Promise<void> {
  while (run.done < run.operations && !run.stopwatch.expired) {
    const first = run.done
    const size = Math.min(chunk.size, run.operations - first)
    for (let at = 0; at < size; at++) steps.prepare(at, first + at)
    run.stopwatch.start()
    const done = await steps.measure(size)
    run.stopwatch.stop()
    for (let at = 0; at < done; at++) steps.account(at, first + at)
    run.done += done
    run.progress()
  }
}
