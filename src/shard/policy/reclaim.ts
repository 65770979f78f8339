/**
 * What frees space soonest, as a pure function: for a disk that is full, whatever the policy.
 *
 * Deletions are brought one level down, together with what they delete there. A rewrite needs the space of its outputs
 * before it gives back that of its inputs, so what writes least comes first; many small steps clear a disk that has no
 * room for one large one.
 */

import { Layout, sumBytes } from './layout.ts'
import type { PlaceChoice, PolicyFile, PolicyInput } from './policy.ts'

/** What to do, what writes least first; nothing where no deletion has anything below it. */
export function chooseReclaim<Bound>(input: PolicyInput<Bound, unknown>): readonly PlaceChoice[] {
  const layout = new Layout(input)
  const choices: { readonly written: number; readonly choice: PlaceChoice }[] = []
  for (const file of input.files) {
    if (file.deletions === 0 && (file.covers?.length ?? 0) === 0) continue
    const upper = file.level === 0 ? withOlder(layout, file) : [file]
    const to = levelBelow(layout, file.level, upper)
    if (to === undefined) continue
    const inputs = layout.withLower(upper, to)
    const choice = layout.place(inputs, to, true)
    if (choice !== undefined) choices.push({ written: estimate(inputs), choice })
  }
  return choices.sort((a, b) => a.written - b.written).map(({ choice }) => choice)
}

/** What has to go down before `file` of level 0 can, newest first. */
function withOlder<Bound>(layout: Layout<Bound>, file: PolicyFile<Bound>): readonly PolicyFile<Bound>[] {
  const files = layout.filesOf(0)
  const found = [file]
  for (const older of files.slice(files.indexOf(file) + 1)) {
    if (found.some((newer) => layout.shares(newer, older))) found.push(older)
  }
  return found
}

/** The first level below `level` that has anything within the bounds of `upper`. */
function levelBelow<Bound>(
  layout: Layout<Bound>,
  level: number,
  upper: readonly PolicyFile<Bound>[],
): number | undefined {
  for (let below = level + 1; below <= layout.deepest; below++) {
    if (layout.overlapping(below, layout.spanOf(upper)).length > 0) return below
  }
  return undefined
}

/** Bytes that are left when each deletion has taken an entry of the usual size with it. */
function estimate<Bound>(inputs: readonly PolicyFile<Bound>[]): number {
  const bytes = sumBytes(inputs)
  const entries = inputs.reduce((sum, file) => sum + file.entries, 0)
  const deletions = inputs.reduce((sum, file) => sum + file.deletions, 0)
  return entries === 0 ? 0 : bytes * Math.max(0, 1 - (2 * deletions) / entries)
}
