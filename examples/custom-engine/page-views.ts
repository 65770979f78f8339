/** Page views as their users see them: count, look up, add up. */
import type { FileReader } from 'varve/fs'
import { MIB } from 'varve/kernel'
import { type Shard, type ShardComponents, type ShardOpenOptions, type View, openShard } from 'varve/shard'
import { CountTable, type PageView, add, dayOf, keyOf, pageOf } from './count-table.ts'
import { HANDLER, type Pairs, pageViewEngine } from './engine.ts'
import { lookUp, readColumns } from './formats.ts'
import * as jobs from './jobs.ts'

/** Where the job handler is: for this thread, and for workers, which cannot be handed a function. */
export const HANDLERS = { [HANDLER.module]: { module: jobs, url: new URL('./jobs.js', import.meta.url) } }
const DEFAULTS = { settings: { memtableBytes: 4 * MIB } }

export class PageViews {
  /** For `freeze` and `unpin` (a snapshot), `flush`, `sync`, `settle`, `clone`, `checkpoint`, `statistics`, `close`. */
  readonly shard: Shard<PageView, CountTable, Pairs>
  readonly #components: ShardComponents

  constructor(shard: PageViews['shard'], components: ShardComponents) {
    this.shard = shard
    this.#components = components
  }

  static async open(components: ShardComponents, options: ShardOpenOptions = DEFAULTS): Promise<PageViews> {
    return new PageViews(await openShard(components, pageViewEngine, options), components)
  }

  /** Counts views of a page (below 2^32) on a day (below 2^16). */
  add(page: number, day: number, count = 1): Promise<void> {
    if (page !== page >>> 0 || day !== (day & 0xffff)) throw new RangeError(`no page ${page} or no day ${day}`)
    if (!(Number.isSafeInteger(count) && count > 0)) throw new RangeError(`count must be above 0, got ${count}`)
    return this.shard.write({ page, day, count }, 'written')
  }

  /** Views of a page on a day, now or in a frozen view: from memory and row files. */
  async count(page: number, day: number, frozen?: View<CountTable, Pairs>): Promise<number> {
    const key = keyOf(page, day)
    let sum = 0
    for await (const part of this.#parts('rows', frozen)) {
      sum += part instanceof CountTable ? (part.counts.get(key) ?? 0) : await lookUp(part, key, this.#components.hash)
    }
    return sum
  }

  /** Views by page or by day, now or in a frozen view: from memory and column files. */
  async totals(by: 'page' | 'day', frozen?: View<CountTable, Pairs>): Promise<ReadonlyMap<number, number>> {
    const sums = new Map<number, number>()
    for await (const part of this.#parts('columns', frozen)) {
      const counts = part instanceof CountTable ? part.counts : await readColumns(part, this.#components.hash)
      for (const [key, count] of counts) add(sums, by === 'page' ? pageOf(key) : dayOf(key), count)
    }
    return sums
  }

  /** The memtables and files of one view, which stays pinned meanwhile. */
  async *#parts(format: keyof Pairs, frozen?: View<CountTable, Pairs>): AsyncGenerator<CountTable | FileReader> {
    const view = frozen ?? this.shard.pin()
    let file: FileReader | undefined
    try {
      yield* view.tables
      for (const { ref } of view.version.shape[format]) {
        file = await this.#components.files.open(ref)
        yield file
        await file.close()
      }
    } finally {
      await file?.close()
      if (frozen === undefined) this.shard.unpin(view)
    }
  }
}
