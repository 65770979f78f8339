/** The machine as if it were a peer: its limits are measured in a process of their own, in the rounds of the others. */

import { mkdirSync } from 'node:fs'
import { LIMITS } from './measure/limits.ts'
import { loopControl } from './measure/loop-control.ts'
import type { Outcome, Task } from './task.ts'

export const MACHINE = 'machine'
export const LIMIT_PREFIX = 'limit/'
/** The event loop beside busy workers. */
const LOOP = `${LIMIT_PREFIX}loop`

export const LIMIT_NAMES: readonly string[] = [...LIMITS.map(({ name }) => LIMIT_PREFIX + name), LOOP]

/** Its `operations` are what the limit counts in a second. */
export async function measureLimit({ workload, directory, budgetMs }: Task): Promise<Outcome> {
  mkdirSync(directory, { recursive: true })
  const nothing = { elapsedMs: 1000, digest: '', wanted: '', figures: {}, settings: {} }
  if (workload === LOOP) return { ...nothing, operations: 0, figures: await loopControl(budgetMs) }
  const limit = LIMITS.find(({ name }) => LIMIT_PREFIX + name === workload)
  if (limit === undefined) throw new RangeError(`there is no ${workload}`)
  return { ...nothing, operations: await limit.measure(directory, budgetMs) }
}
