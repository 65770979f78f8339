/**
 * The layout that all policies keep to (policy.ts), and the one place that tells which changes preserve it.
 *
 * A change takes files out and puts their data into one level, at or below all of them. It is admitted where
 *
 * - the level stays disjoint: of its files, and of the outputs that changes under way will put there, none is in the
 *   bounds of the change but its own inputs;
 * - newer stays above older: no other file that the data of an input passes on its way shares bounds with that input.
 *
 * An output is taken to fill the bounds of all its inputs, since one file may span the gaps between them. What is
 * admitted remains so until it is done, however long it takes and whatever ends before it: what arrives meanwhile is
 * newer, and to get between the inputs and their level it would have to pass the inputs, which stay where they are.
 */

import { assert } from '../../kernel/assert.ts'
import type { FileName } from '../../kernel/ids.ts'
import type { PlaceChoice, PolicyFile, PolicyInput } from './policy.ts'

/** Bounds, both inside. */
export interface Span<Bound> {
  readonly first: Bound
  readonly last: Bound
}

/** What a change under way will put into a level: it may come to overlap anything in the span. */
interface Claim<Bound> {
  readonly level: number
  readonly span: Span<Bound>
}

export class Layout<Bound> {
  /** Level 0 newest first; deeper levels in order of bounds. At least one level. */
  readonly levels: readonly (readonly PolicyFile<Bound>[])[]
  /** The deepest level in use, 0 where only level 0 is. */
  readonly deepest: number
  readonly #compare: (a: Bound, b: Bound) => number
  readonly #taken = new Set<FileName>()
  readonly #claims: Claim<Bound>[] = []
  /** Position of each file of level 0, from 0 for the newest to under 1: the part of its rank behind the point. */
  readonly #ages = new Map<FileName, number>()

  constructor(input: PolicyInput<Bound, unknown>) {
    this.#compare = input.compare
    const level0: PolicyFile<Bound>[] = []
    const levels: PolicyFile<Bound>[][] = [level0]
    const byName = new Map<FileName, PolicyFile<Bound>>()
    for (const file of input.files) {
      while (levels.length <= file.level) levels.push([])
      levels[file.level]?.push(file)
      byName.set(file.name, file)
    }
    for (const [level, files] of levels.entries()) {
      // In order already, most of the time, which sorting makes use of.
      files.sort(level === 0 ? (a, b) => b.seqnoLast - a.seqnoLast : (a, b) => input.compare(a.first, b.first))
    }
    this.levels = levels
    this.deepest = levels.length - 1
    for (const [index, file] of level0.entries()) this.#ages.set(file.name, index / level0.length)
    for (const { inputs, level } of input.changes) {
      for (const name of inputs) this.#taken.add(name)
      // Where the inputs are gone, the change has been committed: its outputs are files like any other.
      const present = inputs.flatMap((name) => byName.get(name) ?? [])
      const span = this.spanOf(present)
      if (level !== undefined && span !== undefined) this.#claims.push({ level, span })
    }
  }

  /** An input of a change under way. */
  isTaken(file: PolicyFile<Bound>): boolean {
    return this.#taken.has(file.name)
  }

  /** Some input of a change under way is in `level`, or some output will be. */
  isBusy(level: number): boolean {
    return this.#claims.some((claim) => claim.level === level) || this.filesOf(level).some((file) => this.isTaken(file))
  }

  filesOf(level: number): readonly PolicyFile<Bound>[] {
    return this.levels[level] ?? []
  }

  bytesOf(level: number): number {
    return sumBytes(this.filesOf(level))
  }

  /** From the least bound of `files` to the greatest; undefined for no files. */
  spanOf(files: readonly PolicyFile<Bound>[]): Span<Bound> | undefined {
    const [initial] = files
    if (initial === undefined) return undefined
    let { first, last } = initial
    for (const file of files) {
      if (this.#compare(file.first, first) < 0) first = file.first
      if (this.#compare(file.last, last) > 0) last = file.last
    }
    return { first, last }
  }

  shares(a: Span<Bound>, b: Span<Bound>): boolean {
    return this.#compare(a.first, b.last) <= 0 && this.#compare(b.first, a.last) <= 0
  }

  /** Files of `level` that share bounds with `span`, in the order of the level. */
  overlapping(level: number, span: Span<Bound> | undefined): readonly PolicyFile<Bound>[] {
    if (span === undefined) return []
    const files = this.filesOf(level)
    if (level === 0) return files.filter((file) => this.shares(file, span))
    const { start, limit } = this.rangeOf(level, span)
    return files.slice(start, limit)
  }

  /** Files whose bounds are both inside `span`. */
  within(span: Span<Bound>): readonly PolicyFile<Bound>[] {
    return this.levels.flatMap((_, level) =>
      this.overlapping(level, span).filter(
        (file) => this.#compare(span.first, file.first) <= 0 && this.#compare(file.last, span.last) <= 0,
      ),
    )
  }

  /** Where in a sorted `level` those files are; start and limit are equal for none. */
  rangeOf(level: number, span: Span<Bound>): { readonly start: number; readonly limit: number } {
    const files = this.filesOf(level)
    const start = lowest(files, (file) => this.#compare(file.last, span.first) >= 0)
    return {
      start,
      limit: Math.max(
        start,
        lowest(files, (file) => this.#compare(file.first, span.last) > 0),
      ),
    }
  }

  /** `upper`, newest first, and what it has to be merged with on its way to `level`. */
  withLower(upper: readonly PolicyFile<Bound>[], level: number): readonly PolicyFile<Bound>[] {
    const inputs = [...upper]
    const above = upper.reduce((least, file) => Math.max(least, file.level), 0)
    for (let each = above + 1; each <= level; each++) inputs.push(...this.overlapping(each, this.spanOf(inputs)))
    return inputs
  }

  /**
   * The choice that brings `inputs` to `level`, at or below all of them; undefined where that has to wait, or could
   * never be done.
   *
   * @param rewrite even where a move would do
   */
  place(inputs: readonly PolicyFile<Bound>[], level: number, rewrite = false): PlaceChoice | undefined {
    assert(level > 0, 'nothing is put into level 0')
    const span = this.spanOf(inputs)
    if (span === undefined || !this.#admits(inputs, level, span)) return undefined
    let bottom = true
    for (let deeper = level + 1; deeper <= this.deepest; deeper++) {
      if (this.overlapping(deeper, span).length > 0) bottom = false
    }
    const moves = !rewrite && inputs.some((file) => file.level !== level) && this.#disjoint(inputs)
    const ordered = [...inputs].sort((a, b) => this.#rankOf(a) - this.#rankOf(b))
    return { type: moves ? 'move' : 'rewrite', inputs: ordered.map(({ name }) => name), level, bottom }
  }

  /** Whether `files` may be forgotten: nothing older is left that they hide. */
  mayDrop(files: readonly PolicyFile<Bound>[]): boolean {
    if (files.some((file) => this.isTaken(file))) return false
    const names = new Set(files.map(({ name }) => name))
    return files.every((file) =>
      this.#below(file).every((older) => names.has(older.name) || this.#rankOf(older) <= this.#rankOf(file)),
    )
  }

  #below(file: PolicyFile<Bound>): readonly PolicyFile<Bound>[] {
    const found: PolicyFile<Bound>[] = []
    for (let level = file.level; level <= this.deepest; level++) found.push(...this.overlapping(level, file))
    return found
  }

  #admits(inputs: readonly PolicyFile<Bound>[], level: number, span: Span<Bound>): boolean {
    if (inputs.some((file) => this.isTaken(file) || file.level > level)) return false
    const names = new Set(inputs.map(({ name }) => name))
    if (this.overlapping(level, span).some((file) => !names.has(file.name))) return false
    for (let each = inputs.reduce((least, file) => Math.min(least, file.level), level); each < level; each++) {
      for (const file of this.overlapping(each, span)) {
        if (!names.has(file.name) && this.#passes(inputs, level, file)) return false
      }
    }
    return this.#claims.every((claim) => claim.level !== level || !this.shares(claim.span, span))
  }

  /** Whether data of `inputs` gets from above `file` to below it on its way to `level`. */
  #passes(inputs: readonly PolicyFile<Bound>[], level: number, file: PolicyFile<Bound>): boolean {
    const rank = this.#rankOf(file)
    return inputs.some((input) => this.#rankOf(input) < rank && rank < level && this.shares(input, file))
  }

  #rankOf(file: PolicyFile<Bound>): number {
    return file.level === 0 ? (this.#ages.get(file.name) ?? 0) : file.level
  }

  #disjoint(files: readonly PolicyFile<Bound>[]): boolean {
    const ordered = [...files].sort((a, b) => this.#compare(a.first, b.first))
    return ordered.every((file, index) => {
      const before = ordered[index - 1]
      return before === undefined || this.#compare(before.last, file.first) < 0
    })
  }
}

/** Index of the first file that `reached` holds for, as it does for all after it. */
function lowest<File>(files: readonly File[], reached: (file: File) => boolean): number {
  let low = 0
  let high = files.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (reached(files[middle] as File)) high = middle
    else low = middle + 1
  }
  return low
}

export function sumBytes(files: readonly { readonly bytes: number }[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0)
}
