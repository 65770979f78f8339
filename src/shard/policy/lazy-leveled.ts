/**
 * Lazy leveling, as a pure function: tiered above, leveled at the bottom.
 *
 * The oldest run holds all but a `tierRuns`-th of the data. The runs above it are merged as in tiered compaction, and
 * when together they have reached that share, all of them are merged with the oldest. Reads find most keys in one run
 * and little is stored twice, nearly as with leveled compaction; only the last step, where leveled compaction pays once
 * more for each level above, costs as much.
 *
 * After N. Dayan, S. Idreos: Dostoevsky: Better Space-Time Trade-Offs for LSM-Tree Based Key-Value Stores via Adaptive
 * Removal of Superfluous Merging, SIGMOD 2018.
 */

import { Layout, sumBytes } from './layout.ts'
import type { PlaceChoice, PolicyInput } from './policy.ts'
import { chooseLevel0, chooseSimilar, mayStart, merge, runsOf } from './tiered.ts'
import type { TieredSettings } from './tiered.ts'

/** What to do, most urgent first. */
export function chooseLazyLeveled<Bound>(input: PolicyInput<Bound, TieredSettings>): readonly PlaceChoice[] {
  const layout = new Layout(input)
  const runs = runsOf(layout)
  const upper = runs.slice(0, -1)
  const last = runs.at(-1)
  const choices = [...chooseLevel0(layout, runs, input.settings)]
  if (last !== undefined && sumBytes(upper) * input.settings.tierRuns >= last.bytes) {
    const choice = mayStart(runs, input) ? merge(layout, runs, runs) : undefined
    if (choice !== undefined) choices.push(choice)
  }
  return [...choices, ...chooseSimilar(layout, runs, upper, input)]
}
