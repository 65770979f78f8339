/** Page views as a plain list, added up anew for every question. */

import type { PageView } from '../count-table.ts'
import type { PageViews } from '../page-views.ts'

/** Pages and days that operations touch, so that all can be asked for. */
const PAGES = 26
const DAYS = 3

/** Operation `number`: pages repeat, so that counts add up across memtables and files; the sum always grows. */
export function pageView(number: number): PageView {
  return { page: (number * 7) % PAGES, day: number % DAYS, count: 1 + (number % 5) }
}

export class PageViewModel {
  readonly #counts = new Map<string, number>()

  constructor(views: readonly PageView[]) {
    for (const { page, day, count } of views) {
      const key = `${page}/${day}`
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + count)
    }
  }

  count(page: number, day: number): number {
    return this.#counts.get(`${page}/${day}`) ?? 0
  }

  totals(by: 'page' | 'day'): ReadonlyMap<number, number> {
    const totals = new Map<number, number>()
    for (const [key, count] of this.#counts) {
      const name = Number(key.split('/')[by === 'page' ? 0 : 1])
      totals.set(name, (totals.get(name) ?? 0) + count)
    }
    return totals
  }

  /** All counts and totals: what `read` gives of page views that hold the same. */
  text(): string {
    return render(
      allKeys().map(([page, day]) => this.count(page, day)),
      this.totals('page'),
      this.totals('day'),
    )
  }

  /** Everything that can be asked, of row files and of column files. */
  static async read(views: PageViews, frozen?: Awaited<ReturnType<PageViews['shard']['freeze']>>): Promise<string> {
    const counts: number[] = []
    for (const [page, day] of allKeys()) counts.push(await views.count(page, day, frozen))
    return render(counts, await views.totals('page', frozen), await views.totals('day', frozen))
  }
}

function allKeys(): readonly (readonly [page: number, day: number])[] {
  return Array.from({ length: PAGES * DAYS }, (_, index) => [Math.floor(index / DAYS), index % DAYS])
}

function render(counts: readonly number[], ...totals: readonly ReadonlyMap<number, number>[]): string {
  const sorted = totals.map((each) => [...each].sort(([a], [b]) => a - b))
  return JSON.stringify([counts, ...sorted])
}
