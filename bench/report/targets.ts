/** What varve is to reach, workload by workload, as ratios to others measured in the same run. */

export interface Target {
  readonly ratio: number
  /** The fastest peer that persists, one peer by name, or a physical limit. */
  readonly against: 'best' | 'classic-level' | 'fdatasync'
}

const TWICE: Target = Object.freeze({ ratio: 2, against: 'best' })

const PARTICULAR: Readonly<Record<string, Target>> = Object.freeze({
  'put/1': { ratio: 4, against: 'best' },
  // Of writing and syncing the same bytes to a preallocated file in a loop: 0.7 in JavaScript, 0.9 with the addon.
  'fillsync/1': { ratio: 0.7, against: 'fdatasync' },
  'fillsync/100': { ratio: 10, against: 'classic-level' },
})

/** Workloads that `performance.md` names; the rest is only to be no slower than the best. */
const NAMED = new Set([
  'fillrandom/100',
  'put/100',
  'readrandom/awaited',
  'readrandom/inflight',
  'readrandom/sync',
  'readrandom/many',
  'readmissing/sync',
  'readseq',
  'seekrandom',
])

export function targetOf(workload: string): Target {
  return PARTICULAR[workload] ?? (NAMED.has(workload) ? TWICE : { ratio: 1, against: 'best' })
}
