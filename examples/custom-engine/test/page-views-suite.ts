/** The example engine as the conformance suite of engines wants it. */

import type { EngineSuite, EngineUnderTest } from 'varve/testing'
import { HANDLERS, PageViews } from '../page-views.ts'
import { PageViewModel, pageView } from './page-view-model.ts'

export const PAGE_VIEWS_SUITE: Omit<EngineSuite, 'test' | 'name'> = {
  handlers: Object.fromEntries(Object.entries(HANDLERS).map(([name, { module }]) => [name, module])),
  async open(components): Promise<EngineUnderTest> {
    const views = await PageViews.open(components, { settings: { memtableBytes: 1024 } })
    return {
      shard: views.shard,
      write: async (number, durability) => {
        await views.shard.write(pageView(number), durability)
      },
      content: () => PageViewModel.read(views),
      async snapshot() {
        const frozen = await views.shard.freeze()
        return { content: () => PageViewModel.read(views, frozen), close: () => views.shard.unpin(frozen) }
      },
    }
  },
  expected: (numbers) => new PageViewModel(numbers.map(pageView)).text(),
}
