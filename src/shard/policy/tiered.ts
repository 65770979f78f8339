/**
 * Tiered compaction, as a pure function: every level is a run, and runs of about the same size are merged into one.
 *
 *      level 0   ▂ ▂ ▂        as flushed
 *      26  ▅                  newer runs have smaller numbers;
 *      27  ▅                  numbers between them may be free
 *      28  ▅
 *      30  ██████
 *      31  █████████████████  the oldest
 *
 * Data is rewritten once for each size it grows through, `tierRuns` times as large each, where leveled compaction
 * rewrites it about as often as the ratio of a level's size to the next, and for each level. In return reads look into
 * more runs, and a key that is overwritten is stored once in each.
 *
 * After the size-tiered compaction of Bigtable and Cassandra; RocksDB's universal compaction likewise gives each run a
 * level. Only runs that follow each other in age are merged, since a key's versions must keep their order.
 */

import { Layout, sumBytes } from './layout.ts'
import type { PlaceChoice, PolicyFile, PolicyInput } from './policy.ts'

/** Defaults and their reasons: `TIERED_DEFAULTS`. */
export interface TieredSettings {
  /** Files in level 0 that start a merge of it. Range: 1 … 1,000. */
  readonly level0Files: number
  /**
   * Runs of about the same size that are merged into one. Smaller: cheaper reads; larger: less write amplification.
   * Range: 2 … 16.
   */
  readonly tierRuns: number
}

/** What is not said. */
export const TIERED_DEFAULTS: TieredSettings = Object.freeze({
  level0Files: 4,
  // Cassandra's min_threshold.
  tierRuns: 4,
})

/** Number of the oldest run. Only so many there are besides level 0: more are merged whatever their sizes. */
export const TIERED_LEVEL_LAST = 31

/** A level that is in use. */
export interface Run<Bound> {
  readonly level: number
  readonly files: readonly PolicyFile<Bound>[]
  readonly bytes: number
}

/** What to do, most urgent first. */
export function chooseTiered<Bound>(input: PolicyInput<Bound, TieredSettings>): readonly PlaceChoice[] {
  const layout = new Layout(input)
  const runs = runsOf(layout)
  return [...chooseLevel0(layout, runs, input.settings), ...chooseSimilar(layout, runs, runs, input)]
}

/** Runs below level 0, newest first. */
export function runsOf<Bound>(layout: Layout<Bound>): readonly Run<Bound>[] {
  return layout.levels.flatMap((files, level) =>
    level === 0 || files.length === 0 ? [] : [{ level, files, bytes: sumBytes(files) }],
  )
}

/** Level 0 as a run of its own above `runs`; and room for it, before numbers run out. */
export function chooseLevel0<Bound>(
  layout: Layout<Bound>,
  runs: readonly Run<Bound>[],
  settings: TieredSettings,
): readonly PlaceChoice[] {
  const idle = layout.filesOf(0).filter((file) => !layout.isTaken(file))
  const level = levelAbove(runs[0])
  const choices = [
    idle.length >= settings.level0Files && level > 0 ? layout.place(layout.filesOf(0), level) : undefined,
    level < TIERED_LEVEL_LAST / 2 ? sink(layout, runs) : undefined,
    level === 0 && runs.length === TIERED_LEVEL_LAST ? mergeSmallest(layout, runs) : undefined,
  ]
  return choices.filter((choice) => choice !== undefined)
}

/** Merges of neighbours among `some` of the runs that are of about the same size, smallest first. */
export function chooseSimilar<Bound>(
  layout: Layout<Bound>,
  runs: readonly Run<Bound>[],
  some: readonly Run<Bound>[],
  input: PolicyInput<Bound, TieredSettings>,
): readonly PlaceChoice[] {
  const { tierRuns } = input.settings
  const windows: (readonly Run<Bound>[])[] = []
  for (let start = 0; start + tierRuns <= some.length; start++) {
    const window = some.slice(start, start + tierRuns)
    if (window.every(({ level }) => !layout.isBusy(level)) && similar(window)) windows.push(window)
  }
  return windows
    .sort((a, b) => sumBytes(a) - sumBytes(b))
    .filter((window) => mayStart(window, input))
    .flatMap((window) => merge(layout, runs, window) ?? [])
}

/** One large merge at a time, and smaller ones beside it: level 0 must not wait for several. */
export function mayStart<Bound>(window: readonly Run<Bound>[], input: PolicyInput<Bound, unknown>): boolean {
  const byName = new Map(input.files.map((file) => [file.name, file]))
  return input.changes.every(({ inputs }) => {
    const files = inputs.flatMap((name) => byName.get(name) ?? [])
    return files.length === 0 || files.some(({ level }) => level === 0) || sumBytes(files) > sumBytes(window)
  })
}

/** The runs of `window`, which are neighbours among `runs`, as one, as deep as may be. */
export function merge<Bound>(
  layout: Layout<Bound>,
  runs: readonly Run<Bound>[],
  window: readonly Run<Bound>[],
): PlaceChoice | undefined {
  const oldest = window.at(-1)
  if (oldest === undefined) return undefined
  return layout.place(
    window.flatMap(({ files }) => files),
    levelAbove(runs[runs.indexOf(oldest) + 1], oldest.level),
  )
}

/** The deepest number above `older`; `least` where it is deeper than any that is used for tiers. */
function levelAbove<Bound>(older: Run<Bound> | undefined, least = 0): number {
  return Math.max(least, older === undefined ? TIERED_LEVEL_LAST : older.level - 1)
}

/** About the same size: the largest is nearer to the others than to all of them merged. */
function similar<Bound>(window: readonly Run<Bound>[]): boolean {
  const largest = Math.max(...window.map(({ bytes }) => bytes))
  const others = (sumBytes(window) - largest) / (window.length - 1)
  return largest <= others * Math.sqrt(window.length)
}

/** The oldest run that has free numbers below it and is not busy, moved down. */
function sink<Bound>(layout: Layout<Bound>, runs: readonly Run<Bound>[]): PlaceChoice | undefined {
  for (let index = runs.length - 1; index >= 0; index--) {
    const run = runs[index] as Run<Bound>
    const level = levelAbove(runs[index + 1], run.level)
    const choice = level > run.level ? layout.place(run.files, level) : undefined
    if (choice !== undefined) return choice
  }
  return undefined
}

/** The two neighbours that are the least work, as one. */
function mergeSmallest<Bound>(layout: Layout<Bound>, runs: readonly Run<Bound>[]): PlaceChoice | undefined {
  const pairs = runs.slice(1).map((older, before) => [runs[before] as Run<Bound>, older])
  pairs.sort((a, b) => sumBytes(a) - sumBytes(b))
  for (const pair of pairs) {
    const choice = merge(layout, runs, pair)
    if (choice !== undefined) return choice
  }
  return undefined
}
