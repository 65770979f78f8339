/**
 * In which order a worker asks for the jobs that wait, by their kind, as a broker chooses: urgent ones first; then the shard
 * of which the fewest are worked on, and of those the one that has waited longest for its turn; within a shard by priority.
 */

import type { WorkerOffer } from '../remote/worker-settings.ts'
import type { JobKind } from './job-kind.ts'

export interface WaitingKind {
  readonly subject: string
  readonly kind: JobKind
  /** Jobs of this kind that workers have now. */
  readonly leased: number
}

// A shard that is forgotten is one that has waited longest.
const SHARDS_MAX = 1024

/** When each shard last had its turn with this worker. */
export class ShardTurns {
  readonly #turns = new Map<string, number>()
  #turn = 0

  /** 0: never, or long ago. */
  of(shard: string): number {
    return this.#turns.get(shard) ?? 0
  }

  take(shard: string): void {
    this.#turns.delete(shard)
    this.#turns.set(shard, ++this.#turn)
    for (const oldest of this.#turns.keys()) {
      if (this.#turns.size <= SHARDS_MAX) break
      this.#turns.delete(oldest)
    }
  }
}

export function fits(kind: JobKind, { urgentOnly, memoryBytes, labels }: WorkerOffer): boolean {
  if (urgentOnly && kind.priority > 0) return false
  return kind.memoryBytes <= memoryBytes && kind.labels.every((label) => labels.includes(label))
}

/** In the order in which they are asked for. */
export function inOrder(waiting: readonly WaitingKind[], turns: ShardTurns): readonly WaitingKind[] {
  const running = new Map<string, number>()
  for (const { kind, leased } of waiting) running.set(kind.shard, (running.get(kind.shard) ?? 0) + leased)
  const rankOf = ({ kind: { priority, shard } }: WaitingKind): readonly number[] => [
    priority <= 0 ? 0 : 1,
    running.get(shard) ?? 0,
    turns.of(shard),
    priority,
  ]
  return waiting
    .map((each) => ({ each, rank: rankOf(each) }))
    .toSorted((left, right) => compare(left.rank, right.rank))
    .map(({ each }) => each)
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (const [index, value] of left.entries()) {
    const other = right[index] as number
    // Infinity is a priority, too: a difference would be no number.
    if (value !== other) return value < other ? -1 : 1
  }
  return 0
}
