/**
 * What compaction policies see and say.
 *
 * Every policy keeps to one layout, so that a shard may be opened with another policy at any time:
 *
 * - Level 0 holds files as they were flushed. They may overlap; of two that do, the one with the higher `seqnoLast` is
 *   newer.
 * - Every deeper level is one sorted run: its files are disjoint.
 * - Where two levels overlap, the smaller number is newer.
 *
 * A policy is a pure function from {@link PolicyInput} to choices, most urgent first. It picks what to merge and where
 * to; `Layout` refuses whatever would break the layout, given what is under way.
 */

import type { FileName } from '../../kernel/ids.ts'

/** A file as a policy sees it. */
export interface PolicyFile<Bound> {
  /** Names the file in choices. */
  readonly name: FileName
  /** Its length. */
  readonly bytes: number
  /** All there are, and how many of them delete something older. */
  readonly entries: number
  /** Those among `entries` that delete. */
  readonly deletions: number
  /** 0, or that of a sorted run. */
  readonly level: number
  /** Bounds of what it holds, both inside. */
  readonly first: Bound
  /** See `first`. */
  readonly last: Bound
  /** Age, among files of level 0. */
  readonly seqnoLast: number
  /** Ranges, within its bounds, of which it deletes everything older; not necessarily all of them. Default: none. */
  readonly covers?: readonly PolicySpan<Bound>[]
}

/** Bounds, both inside. */
export interface PolicySpan<Bound> {
  /** The least that is in it. */
  readonly first: Bound
  /** The greatest that is in it. */
  readonly last: Bound
}

/** A change under way: its inputs are still there, its outputs will be files of `level`, or nothing. */
export interface PolicyChange {
  /** Files that no other change may choose. */
  readonly inputs: readonly FileName[]
  /** undefined: the inputs are dropped. */
  readonly level: number | undefined
}

/** One moment of a shard. A policy changes nothing of it. */
export interface PolicyInput<Bound, Settings> {
  /** All of the version, in no particular order. */
  readonly files: readonly PolicyFile<Bound>[]
  /** All that are under way. */
  readonly changes: readonly PolicyChange[]
  /** The order of bounds: negative, 0 or positive. */
  readonly compare: (a: Bound, b: Bound) => number
  /** Complete and checked. */
  readonly settings: Settings
}

/** `inputs` become files of `level`; without a rewrite where they are disjoint. */
export interface PlaceChoice extends PolicyChange {
  readonly type: 'move' | 'rewrite'
  /** Newest data first; files of one sorted run in order of their bounds. */
  readonly inputs: readonly FileName[]
  /** Where the outputs go; deeper than, or the same as, where the inputs were. */
  readonly level: number
  /** No older file has anything in the bounds of the inputs: deletions may be dropped. */
  readonly bottom: boolean
}

/** `inputs` are forgotten. */
export interface DropChoice extends PolicyChange {
  readonly type: 'drop'
  /** They go nowhere. */
  readonly level: undefined
}

/** What a policy can say. */
export type PolicyChoice = PlaceChoice | DropChoice
