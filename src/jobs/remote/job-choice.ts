/**
 * Which waiting job a worker gets.
 *
 * Urgent ones first; then the shard of which the fewest are running, and of those the one that has waited longest for its
 * turn; within a shard the order of priority, then of submission, also of those whose workers have gone.
 */

import type { BrokeredJob } from './brokered-job.ts'
import type { WorkerOffer } from './worker-settings.ts'

/**
 * @param waiting in any order
 * @param turns when each shard last got a worker
 */
export function chooseJob(
  waiting: Iterable<BrokeredJob>,
  offer: WorkerOffer,
  leased: Iterable<BrokeredJob>,
  turns: ReadonlyMap<string, number>,
): BrokeredJob | undefined {
  const running = new Map<string, number>()
  for (const { shard } of leased) running.set(shard, (running.get(shard) ?? 0) + 1)
  let best: { readonly job: BrokeredJob; readonly rank: readonly number[] } | undefined
  for (const job of waiting) {
    if (!fits(job, offer)) continue
    const { urgent, shard, spec, order } = job
    const rank = [urgent ? 0 : 1, running.get(shard) ?? 0, turns.get(shard) ?? 0, spec.priority, order]
    if (best === undefined || compare(rank, best.rank) < 0) best = { job, rank }
  }
  return best?.job
}

/** Whether a place of a worker has room for it, and may do it. */
export function fits(job: BrokeredJob, { urgentOnly, memoryBytes, labels, shards }: WorkerOffer): boolean {
  const { spec, urgent } = job
  if (urgentOnly && !urgent) return false
  if (shards !== undefined && !isWithin(job, shards)) return false
  const { requirements } = spec
  return requirements.memoryBytes <= memoryBytes && requirements.labels.every((label) => labels.includes(label))
}

/** Its files, too: those of a shard that was split are still its parent's. */
function isWithin({ shard, spec }: BrokeredJob, shards: readonly string[]): boolean {
  const owns = (name: string): boolean => shards.some((each) => name.startsWith(`${each}.`))
  if (!shards.includes(shard) || !owns(spec.outputPrefix)) return false
  return spec.inputs.every((input) => input.type !== 'file' || owns(input.ref.name))
}

function compare(left: readonly number[], right: readonly number[]): number {
  for (const [index, value] of left.entries()) {
    const difference = value - (right[index] as number)
    if (difference !== 0) return difference
  }
  return 0
}
