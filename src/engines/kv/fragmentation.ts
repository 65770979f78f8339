/**
 * From range tombstones that overlap to fragments that do not, each with the newest seqno of every stripe.
 *
 * A sweep over all cuts in order: of the tombstones that have begun, those of one stripe wait in a heap, the newest on top;
 * one that has ended is taken out when it comes to the top. So what many tombstones cover costs no more than what one does.
 */

import { compareCuts, earlierCut, laterCut } from '../../kernel/key-cut.ts'
import type { KeyCut } from '../../kernel/key-cut.ts'
import type { RangeFragment } from '../../kernel/fragment-list.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import type { RangeTombstone } from '../../kernel/range-tombstone.ts'
import type { Stripes } from './stripes.ts'

/** Fragments in ascending order. Neighbours that adjoin differ in their seqnos. */
export function fragmentTombstones(
  tombstones: readonly RangeTombstone[],
  order: KeyOrder,
  stripes: Stripes,
): readonly RangeFragment[] {
  const compare = (a: KeyCut, b: KeyCut): number => compareCuts(order, a, b)
  const starts = tombstones.toSorted((a, b) => compare(a.lower, b.lower))
  const cuts = distinctCuts(tombstones, compare)
  const begun = Array.from({ length: stripes.count }, () => new NewestFirst())
  const fragments: RangeFragment[] = []
  let next = 0
  for (let index = 0; index + 1 < cuts.length; index++) {
    const lower = cuts[index] as KeyCut
    const upper = cuts[index + 1] as KeyCut
    for (; next < starts.length; next++) {
      const tombstone = starts[next] as RangeTombstone
      if (compare(tombstone.lower, lower) > 0) break
      begun[stripes.of(tombstone.seqno)]?.add(tombstone)
    }
    const seqnos: number[] = []
    for (let stripe = begun.length - 1; stripe >= 0; stripe--) {
      const newest = (begun[stripe] as NewestFirst).newest((tombstone) => compare(tombstone.upper, lower) > 0)
      if (newest !== undefined) seqnos.push(newest.seqno)
    }
    if (seqnos.length > 0) add(fragments, { lower, upper, seqnos }, compare)
  }
  return fragments
}

/** What `tombstones` cover between two cuts. */
export function clipTombstones(
  tombstones: readonly RangeTombstone[],
  order: KeyOrder,
  lower: KeyCut,
  upper: KeyCut,
): readonly RangeTombstone[] {
  return tombstones.flatMap((tombstone) => {
    const clipped = {
      lower: laterCut(order, tombstone.lower, lower),
      upper: earlierCut(order, tombstone.upper, upper),
      seqno: tombstone.seqno,
    }
    return compareCuts(order, clipped.lower, clipped.upper) < 0 ? [clipped] : []
  })
}

/** What is left of `fragments` without the tombstones for which `keeps` says no. */
export function filterFragments(
  fragments: readonly RangeFragment[],
  keeps: (seqno: number) => boolean,
): readonly RangeFragment[] {
  return fragments.flatMap(({ lower, upper, seqnos }) => {
    const kept = seqnos.filter(keeps)
    return kept.length === 0 ? [] : [{ lower, upper, seqnos: kept }]
  })
}

/** Whether everything with a seqno from `seqnoFirst` to `seqnoLast` in `bounds` is hidden, from all who could see it. */
export function coversAll(
  fragments: readonly RangeFragment[],
  order: KeyOrder,
  stripes: Stripes,
  bounds: Pick<RangeFragment, 'lower' | 'upper'>,
  seqnoFirst: number,
  seqnoLast: number,
): boolean {
  const stripe = stripes.of(seqnoFirst)
  let reached = bounds.lower
  for (const { lower, upper, seqnos } of fragments) {
    if (compareCuts(order, upper, reached) <= 0) continue
    if (compareCuts(order, lower, reached) > 0) return false
    if (!seqnos.some((seqno) => seqno >= seqnoLast && stripes.of(seqno) === stripe)) return false
    if (compareCuts(order, upper, bounds.upper) >= 0) return true
    reached = upper
  }
  return false
}

function distinctCuts(
  tombstones: readonly RangeTombstone[],
  compare: (a: KeyCut, b: KeyCut) => number,
): readonly KeyCut[] {
  const cuts = tombstones.flatMap(({ lower, upper }) => [lower, upper]).sort(compare)
  return cuts.filter((cut, index) => index === 0 || compare(cuts[index - 1] as KeyCut, cut) !== 0)
}

function add(fragments: RangeFragment[], fragment: RangeFragment, compare: (a: KeyCut, b: KeyCut) => number): void {
  const last = fragments.at(-1)
  const { lower, upper, seqnos } = fragment
  const continues =
    last !== undefined &&
    last.seqnos.length === seqnos.length &&
    last.seqnos.every((seqno, index) => seqno === seqnos[index]) &&
    compare(last.upper, lower) === 0
  if (continues) fragments[fragments.length - 1] = { ...last, upper }
  else fragments.push(fragment)
}

/** A binary heap. */
class NewestFirst {
  readonly #heap: RangeTombstone[] = []

  add(tombstone: RangeTombstone): void {
    const heap = this.#heap
    let at = heap.push(tombstone) - 1
    while (at > 0) {
      const parent = (at - 1) >>> 1
      if (this.#at(parent).seqno >= tombstone.seqno) break
      heap[at] = this.#at(parent)
      at = parent
    }
    heap[at] = tombstone
  }

  /** The newest for which `lasts` holds; newer ones are forgotten. */
  newest(lasts: (tombstone: RangeTombstone) => boolean): RangeTombstone | undefined {
    while (this.#heap.length > 0) {
      if (lasts(this.#at(0))) return this.#at(0)
      this.#removeTop()
    }
    return undefined
  }

  #removeTop(): void {
    const heap = this.#heap
    const moved = heap.pop() as RangeTombstone
    const count = heap.length
    if (count === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= count) break
      if (child + 1 < count && this.#at(child + 1).seqno > this.#at(child).seqno) child++
      if (this.#at(child).seqno <= moved.seqno) break
      heap[at] = this.#at(child)
      at = child
    }
    heap[at] = moved
  }

  #at(index: number): RangeTombstone {
    return this.#heap[index] as RangeTombstone
  }
}
