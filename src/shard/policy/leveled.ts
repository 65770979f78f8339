/**
 * Leveled compaction, as a pure function.
 *
 * Level 0 holds flushed files. Every deeper level is one sorted run, some times as large as the one above; the level
 * that is fullest for its size is compacted into the next, a few files at a time with what they overlap below, level 0
 * as a whole. Where nothing overlaps, files move without being rewritten.
 *
 * How many levels there are follows from the bytes there are: as few as keep neighbours within `levelSizeRatio`, all of
 * one ratio, which writes least for that many levels. Nearly everything is in the deepest, which bounds what is stored
 * twice. When another level is due, the deepest moves down as a whole, in one commit.
 *
 * A deletion weighs as much as what it deletes. Without that, files of deletions, small and overlapping much, would stay
 * where they are and what they delete below them: in a simulated series of 1,200,000 keys of which 100,000 are kept, six
 * times the live data was stored, on average.
 *
 * After LevelDB (doc/impl.md) and RocksDB's leveled compaction; that sizes follow the last level is RocksDB's
 * level_compaction_dynamic_level_bytes, the choice of files its kMinOverlappingRatio, the weight of deletions its
 * compensated file size.
 */

import { MIB } from '../../kernel/limits.ts'
import { Layout, sumBytes } from './layout.ts'
import type { PlaceChoice, PolicyFile, PolicyInput } from './policy.ts'

/** Defaults and their reasons: `LEVELED_DEFAULTS`. */
export interface LeveledSettings {
  /**
   * Files in level 0 that start a compaction of it. Smaller: cheaper reads; larger: less write amplification.
   * Range: 1 … 1,000.
   */
  readonly level0Files: number
  /** Files in level 0 at which writes wait, more than `level0Files`. Range: 2 … 10,000. */
  readonly level0FilesStop: number
  /** Size of the first level below 0, at least, in bytes. Range: 1 KiB or more. */
  readonly levelBytesBase: number
  /**
   * A level is at most this many times as large as the one above. Smaller: more levels; larger: less stored twice.
   * Range: 2 … 100.
   */
  readonly levelSizeRatio: number
  /** Levels at most, level 0 included. Range: 2 … 32. */
  readonly levelCount: number
}

/** What is not said. */
export const LEVELED_DEFAULTS: LeveledSettings = Object.freeze({
  // LevelDB's and RocksDB's trigger.
  level0Files: 4,
  // RocksDB slows down at 20 and stops at 36; without slowing down, stop sooner to bound the cost of a read.
  level0FilesStop: 24,
  // Four memtables: as much as one compaction of level 0 brings.
  levelBytesBase: 128 * MIB,
  levelSizeRatio: 10,
  // Level 0 and six below: 256 MiB × 10^6 is 256 TiB.
  levelCount: 7,
})

// Neighbours that are compacted together share the files below that lie across their bounds. In simulations of 50
// memtables filled at random 1 wrote 4.9 times, 4 wrote 4.6, 8 no less; more make longer jobs.
const FILES_AT_ONCE = 4

/** Levels in use and the bytes that each may have. */
export interface LeveledTargets {
  /** Where level 0 goes. Levels above it are emptied. */
  readonly base: number
  readonly last: number
  /** By level; the last has no limit. */
  readonly bytes: readonly number[]
}

/** What to do, most urgent first. */
export function chooseLeveled<Bound>(input: PolicyInput<Bound, LeveledSettings>): readonly PlaceChoice[] {
  const layout = new Layout(input)
  const targets = leveledTargets(layout, input.settings)
  // Growing waits for changes that have to do with the deepest level, so no others begin.
  const growing = layout.deepest > 0 && layout.deepest < targets.last ? layout.deepest : undefined
  if (growing !== undefined) {
    const grown = layout.place(layout.filesOf(growing), growing + 1)
    if (grown !== undefined) return [grown]
  }
  const choices: { readonly score: number; readonly choice: PlaceChoice }[] = []
  for (let level = 0; level < targets.last; level++) {
    const score = scoreOf(layout, level, targets, input.settings)
    if (score < 1) continue
    const to = Math.max(level + 1, targets.base)
    if (growing !== undefined && growing >= level && growing <= to) continue
    const choice = level === 0 ? chooseLevel0(layout, to, input.settings) : chooseFiles(layout, level, to)
    if (choice !== undefined) choices.push({ score, choice })
  }
  return choices.sort((a, b) => b.score - a.score).map(({ choice }) => choice)
}

export function leveledTargets<Bound>(layout: Layout<Bound>, settings: LeveledSettings): LeveledTargets {
  const { levelBytesBase, levelSizeRatio, levelCount } = settings
  let stored = 0
  for (let level = 1; level <= layout.deepest; level++) stored += layout.bytesOf(level)
  const times = Math.max(1, stored / levelBytesBase)
  const depth = Math.min(1 + Math.ceil(Math.log(times) / Math.log(levelSizeRatio)), levelCount - 1)
  const last = Math.max(layout.deepest, depth)
  const base = last - depth + 1
  const ratio = times ** (1 / Math.max(1, depth - 1))
  const bytes = Array.from({ length: last }, (_, level) =>
    level < base ? 0 : levelBytesBase * ratio ** (level - base),
  )
  return { base, last, bytes: [...bytes, Infinity] }
}

/** How urgent a level is: 1 and above is too full. */
function scoreOf<Bound>(
  layout: Layout<Bound>,
  level: number,
  targets: LeveledTargets,
  settings: LeveledSettings,
): number {
  const idle = layout.filesOf(level).filter((file) => !layout.isTaken(file))
  if (idle.length === 0) return 0
  if (level === 0) return idle.length / settings.level0Files
  // What an earlier policy or larger contents left above the base is in nobody's way.
  return level < targets.base ? 1 : weigh(layout, idle, targets.last) / (targets.bytes[level] as number)
}

function chooseLevel0<Bound>(layout: Layout<Bound>, to: number, settings: LeveledSettings): PlaceChoice | undefined {
  // The oldest of many, so that what another policy piled up is not one job.
  const oldest = layout.filesOf(0).slice(-settings.level0FilesStop)
  return layout.place(layout.withLower(oldest, to), to)
}

function chooseFiles<Bound>(layout: Layout<Bound>, level: number, to: number): PlaceChoice | undefined {
  const files = layout.filesOf(level)
  const below = layout.filesOf(to)
  const bytesBefore = new Float64Array(below.length + 1)
  for (const [index, { bytes }] of below.entries()) bytesBefore[index + 1] = (bytesBefore[index] as number) + bytes
  const weights = files.map((file) => weigh(layout, [file], to))
  const overlaps = files.map((file) => layout.rangeOf(to, file))
  const bytesBeforeStart = overlaps.map(({ start }) => bytesBefore[start] as number)
  const bytesBeforeLimit = overlaps.map(({ limit }) => bytesBefore[limit] as number)
  const candidates: { readonly ratio: number; readonly start: number; readonly limit: number }[] = []
  for (let start = 0; start < files.length; start++) {
    let weight = 0
    for (let limit = start + 1; limit <= Math.min(files.length, start + FILES_AT_ONCE); limit++) {
      const file = files[limit - 1] as PolicyFile<Bound>
      if (layout.isTaken(file)) break
      weight += weights[limit - 1] as number
      const lower = (bytesBeforeLimit[limit - 1] as number) - (bytesBeforeStart[start] as number)
      candidates.push({ ratio: lower / weight, start, limit })
    }
  }
  // What overlaps least below costs least for what leaves the level.
  candidates.sort((a, b) => a.ratio - b.ratio)
  for (const { start, limit } of candidates) {
    const choice = layout.place(layout.withLower(files.slice(start, limit), to), to)
    if (choice !== undefined) return choice
  }
  return undefined
}

/** Bytes of `files`, and of what their deletions may free, taken for entries like those of `level`. */
function weigh<Bound>(layout: Layout<Bound>, files: readonly PolicyFile<Bound>[], level: number): number {
  const below = layout.filesOf(level)
  const entries = below.reduce((sum, file) => sum + file.entries, 0)
  const each = entries === 0 ? 0 : sumBytes(below) / entries
  return files.reduce((sum, { bytes, deletions }) => sum + bytes + deletions * each, 0)
}
