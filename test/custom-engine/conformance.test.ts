/** The example engine keeps what every engine promises: recovery, takeover, compaction, snapshots, clone, damage. */

import { test } from 'node:test'
import { type EngineUnderTest, testEngine } from 'varve/testing'
import { HANDLERS, PageViews } from '../../examples/custom-engine/page-views.ts'
import { PageViewModel, pageView } from './page-view-model.ts'

testEngine({
  test,
  name: 'page views',
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
})
