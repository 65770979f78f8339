/**
 * Leveled compaction, as a pure function.
 *
 * Level 0 holds flushed files, newest data in the highest seqnos, overlapping. Every deeper level is one sorted run of
 * disjoint files, `levelSizeRatio` times as large as the one above. The level that is fullest for its size is compacted
 * into the next: one file at a time with what it overlaps below, level 0 as a whole. Where nothing overlaps, the file
 * moves without being rewritten.
 *
 * After LevelDB (doc/impl.md) and RocksDB's leveled compaction; the last level's size decides the sizes above it
 * (RocksDB's level_compaction_dynamic_level_bytes), which keeps space amplification near 1 / ratio.
 */

import type { FileName } from '../../kernel/ids.ts'
import { MIB } from '../../kernel/limits.ts'

/** A file as the policy sees it. */
export interface LeveledFile<Bound> {
  readonly name: FileName
  readonly bytes: number
  readonly level: number
  /** Bounds of what it holds, both inside. */
  readonly first: Bound
  readonly last: Bound
  /** Age: where files of level 0 overlap, the higher hides the lower. */
  readonly seqnoLast: number
}

export interface LeveledSettings {
  /** Files in level 0 that start a compaction of it. Smaller: cheaper reads; larger: less write amplification. */
  readonly level0Files: number
  /** Files in level 0 at which writes wait. */
  readonly level0FilesStop: number
  /** Size of the first level below 0, at least, in bytes. */
  readonly levelBytesBase: number
  readonly levelSizeRatio: number
  readonly levelCount: number
}

export const LEVELED_DEFAULTS: LeveledSettings = Object.freeze({
  // LevelDB's and RocksDB's trigger.
  level0Files: 4,
  // RocksDB slows down at 20 and stops at 36; without slowing down, stop sooner to bound the cost of a read.
  level0FilesStop: 24,
  // Four memtables: as much as one compaction of level 0 brings.
  levelBytesBase: 256 * MIB,
  levelSizeRatio: 10,
  // Level 0 and six below: 256 MiB × 10^5 is 25 TiB.
  levelCount: 7,
})

/** One compaction: `inputs` become files of `level`; without a rewrite where nothing overlaps. */
export interface LeveledChoice {
  readonly type: 'move' | 'rewrite'
  /** Newest data first. */
  readonly inputs: readonly FileName[]
  readonly level: number
  /** True when no deeper level has anything in the bounds of the inputs: deletions may be dropped. */
  readonly bottom: boolean
}

export interface LeveledInput<Bound> {
  readonly files: readonly LeveledFile<Bound>[]
  readonly running: ReadonlySet<FileName>
  readonly compare: (a: Bound, b: Bound) => number
  readonly settings: LeveledSettings
}

/** What to do, most urgent first. */
export function chooseLeveled<Bound>(input: LeveledInput<Bound>): readonly LeveledChoice[] {
  const levels = groupByLevel(input.files, input.settings.levelCount)
  const targets = levelTargets(levels, input.settings)
  const choices: { readonly score: number; readonly choice: LeveledChoice }[] = []
  for (let level = 0; level + 1 < input.settings.levelCount; level++) {
    const score = scoreOf(levels, level, targets, input)
    if (score < 1) continue
    const choice = level === 0 ? chooseLevel0(levels, input) : chooseFile(levels, level, input)
    if (choice !== undefined) choices.push({ score, choice })
  }
  return choices.sort((a, b) => b.score - a.score).map(({ choice }) => choice)
}

/**
 * Rewrites what `level` has in [first, last] (undefined: unbounded) into the next one, for a caller who asks for it.
 * Never a move: the caller wants to be rid of what nobody can see. `blocked`: running jobs have some of it.
 */
export function chooseLeveledRange<Bound>(
  input: LeveledInput<Bound>,
  level: number,
  first: Bound | undefined,
  last: Bound | undefined,
): LeveledChoice | 'blocked' | undefined {
  const levels = groupByLevel(input.files, input.settings.levelCount)
  const files = levels[level] ?? []
  const selected = files.filter(
    (file) =>
      (last === undefined || input.compare(file.first, last) <= 0) &&
      (first === undefined || input.compare(file.last, first) >= 0),
  )
  if (selected.length === 0) return undefined
  if (level === 0 && files.some((file) => input.running.has(file.name))) return 'blocked'
  const upper = level === 0 ? closure(files, selected, input.compare) : selected
  const choice = combine(levels, upper, level + 1, input)
  return choice === undefined ? 'blocked' : { ...choice, type: 'rewrite' }
}

function groupByLevel<Bound>(
  files: readonly LeveledFile<Bound>[],
  levelCount: number,
): readonly (readonly LeveledFile<Bound>[])[] {
  const levels: LeveledFile<Bound>[][] = Array.from({ length: levelCount }, () => [])
  for (const file of files) levels[Math.min(file.level, levelCount - 1)]?.push(file)
  // Newest first, which is the order that reads and merges want.
  levels[0]?.sort((a, b) => b.seqnoLast - a.seqnoLast)
  return levels
}

/** Bytes each level may have. The deepest level in use has what it has; each above it a `levelSizeRatio`-th. */
export function levelTargets<Bound>(
  levels: readonly (readonly LeveledFile<Bound>[])[],
  settings: LeveledSettings,
): readonly number[] {
  let deepest = 1
  for (let level = 1; level < levels.length; level++) if ((levels[level] ?? []).length > 0) deepest = level
  const targets: number[] = Array.from({ length: levels.length }, () => Infinity)
  const full = settings.levelBytesBase * settings.levelSizeRatio ** (deepest - 1)
  if (deepest + 1 < levels.length) targets[deepest] = full
  let target = Math.min(bytesOf(levels[deepest] ?? []), full)
  for (let level = deepest - 1; level >= 1; level--) {
    target /= settings.levelSizeRatio
    targets[level] = Math.max(target, settings.levelBytesBase)
  }
  return targets
}

function scoreOf<Bound>(
  levels: readonly (readonly LeveledFile<Bound>[])[],
  level: number,
  targets: readonly number[],
  input: LeveledInput<Bound>,
): number {
  const idle = (levels[level] ?? []).filter((file) => !input.running.has(file.name))
  if (level === 0) return idle.length / input.settings.level0Files
  return bytesOf(idle) / (targets[level] as number)
}

function chooseLevel0<Bound>(
  levels: readonly (readonly LeveledFile<Bound>[])[],
  input: LeveledInput<Bound>,
): LeveledChoice | undefined {
  const files = levels[0] ?? []
  // One compaction of level 0 at a time: a second could put older data above newer.
  if (files.some((file) => input.running.has(file.name))) return undefined
  return combine(levels, files, 1, input)
}

function chooseFile<Bound>(
  levels: readonly (readonly LeveledFile<Bound>[])[],
  level: number,
  input: LeveledInput<Bound>,
): LeveledChoice | undefined {
  // The file with the least overlap below costs the least for each byte that leaves the level (RocksDB's
  // kMinOverlappingRatio).
  let best: LeveledChoice | undefined
  let bestRatio = Infinity
  for (const file of levels[level] ?? []) {
    if (input.running.has(file.name)) continue
    const choice = combine(levels, [file], level + 1, input)
    if (choice === undefined) continue
    if (choice.type === 'move') return choice
    const below = overlapping(levels[level + 1] ?? [], [file], input.compare)
    const ratio = bytesOf(below) / file.bytes
    if (ratio < bestRatio) {
      best = choice
      bestRatio = ratio
    }
  }
  return best
}

/** `upper` and what it overlaps in `level`; undefined where a running job has any of it, or writes into its bounds. */
function combine<Bound>(
  levels: readonly (readonly LeveledFile<Bound>[])[],
  upper: readonly LeveledFile<Bound>[],
  level: number,
  input: LeveledInput<Bound>,
): LeveledChoice | undefined {
  const target = Math.min(level, levels.length - 1)
  const lower = overlapping(levels[target] ?? [], upper, input.compare).filter((file) => !upper.includes(file))
  const all = [...upper, ...lower]
  if (all.some((file) => input.running.has(file.name))) return undefined
  const deeper = levels.slice(target + 1).some((files) => overlapping(files, all, input.compare).length > 0)
  const inputs = all.map((file) => file.name)
  const disjoint = lower.length === 0 && upper.length === 1
  if (disjoint && target > (upper[0] as LeveledFile<Bound>).level)
    return { type: 'move', inputs, level: target, bottom: !deeper }
  return { type: 'rewrite', inputs, level: target, bottom: !deeper }
}

/** Files that share bounds with the range from the least `first` to the greatest `last` of `others`. */
function overlapping<Bound>(
  files: readonly LeveledFile<Bound>[],
  others: readonly LeveledFile<Bound>[],
  compare: (a: Bound, b: Bound) => number,
): readonly LeveledFile<Bound>[] {
  const initial = others[0]
  if (initial === undefined) return []
  let { first, last } = initial
  for (const other of others) {
    if (compare(other.first, first) < 0) first = other.first
    if (compare(other.last, last) > 0) last = other.last
  }
  return files.filter((file) => compare(file.first, last) <= 0 && compare(file.last, first) >= 0)
}

/** `selected` and every file of level 0 that overlaps any of them, and so on: none of them may be left above. */
function closure<Bound>(
  files: readonly LeveledFile<Bound>[],
  selected: readonly LeveledFile<Bound>[],
  compare: (a: Bound, b: Bound) => number,
): readonly LeveledFile<Bound>[] {
  let chosen = selected
  for (;;) {
    const grown = overlapping(files, chosen, compare)
    if (grown.length === chosen.length) return chosen
    chosen = grown
  }
}

function bytesOf<Bound>(files: readonly LeveledFile<Bound>[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0)
}
