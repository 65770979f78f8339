/** The memtable: counts by page and day, in a plain Map. It has no order, and no versions to read at. */
import type { Seqno } from 'varve/kernel'
import type { Memtable } from 'varve/memtable'

/** One write: `count` views of a page on a day. */
export type PageView = { readonly page: number; readonly day: number; readonly count: number }

/** Page and day in one number below 2^48, which sorts by page, then by day. */
export const keyOf = (page: number, day: number): number => page * 65_536 + day
export const pageOf = (key: number): number => Math.floor(key / 65_536)
export const dayOf = (key: number): number => key % 65_536
export const add = (to: Map<number, number>, key: number, n: number): unknown => to.set(key, (to.get(key) ?? 0) + n)

export class CountTable implements Memtable<PageView> {
  readonly supports = { versions: false }
  readonly counts = new Map<number, number>()
  count = 0
  views = 0
  seqnoFirst = 0 as Seqno
  seqnoLast = 0 as Seqno

  get bytes(): number {
    return this.counts.size * 64 + this.count * 8 // About what V8 takes for an entry of a Map; and the journal's share.
  }

  apply({ page, day, count }: PageView, seqno: Seqno): void {
    add(this.counts, keyOf(page, day), count)
    this.views += count
    if (this.count++ === 0) this.seqnoFirst = seqno
    this.seqnoLast = seqno
  }

  freeze(): void {} // Nothing to prepare: the shard applies nothing more, and reads go on as before.

  handOver(): readonly [keys: Float64Array, counts: Float64Array] {
    const [keys, counts] = [new Float64Array(this.counts.size), new Float64Array(this.counts.size)]
    let at = 0
    this.counts.forEach((count, key) => ([keys[at], counts[at++]] = [key, count]))
    return [keys, counts]
  }

  release(): void {
    this.counts.clear()
  }
}
