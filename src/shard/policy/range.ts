/** The compaction of a range that somebody asks for, whatever the policy: one merge, as deep as there is anything. */

import { Layout } from './layout.ts'
import type { Span } from './layout.ts'
import type { PlaceChoice, PolicyFile, PolicyInput } from './policy.ts'

/** undefined: unbounded. */
export interface PolicyRange<Bound> {
  /** Included; undefined: unbounded. */
  readonly first: Bound | undefined
  /** Included; undefined: unbounded. */
  readonly last: Bound | undefined
}

/**
 * Merges what overlaps `range` into the deepest level in use, `levelLast` where only level 0 is. Never a move: the
 * caller wants to be rid of what nobody can see.
 *
 * @returns undefined where nothing is above that level; `blocked` where changes under way are in the way
 */
export function chooseRange<Bound>(
  input: PolicyInput<Bound, unknown>,
  range: PolicyRange<Bound>,
  levelLast: number,
): PlaceChoice | 'blocked' | undefined {
  const layout = new Layout(input)
  const target = layout.deepest === 0 ? levelLast : layout.deepest
  const inputs: PolicyFile<Bound>[] = []
  for (const file of layout.filesOf(0)) {
    // An older file may not stay above what a newer one it overlaps has become.
    if (isWithin(file, range, input.compare) || inputs.some((newer) => layout.shares(newer, file))) inputs.push(file)
  }
  for (let level = 1; level < target; level++) {
    const span = layout.spanOf(inputs)
    inputs.push(
      ...layout
        .filesOf(level)
        .filter((file) => isWithin(file, range, input.compare) || (span !== undefined && layout.shares(file, span))),
    )
  }
  if (inputs.length === 0) return undefined
  inputs.push(...layout.overlapping(target, layout.spanOf(inputs)))
  return layout.place(inputs, target, true) ?? 'blocked'
}

function isWithin<Bound>(
  file: Span<Bound>,
  { first, last }: PolicyRange<Bound>,
  compare: (a: Bound, b: Bound) => number,
): boolean {
  return (
    (last === undefined || compare(file.first, last) <= 0) && (first === undefined || compare(file.last, first) >= 0)
  )
}
