/** The example engine keeps what every engine promises over other parts, of which it knows nothing. */

import { test } from 'node:test'
import type { EngineSuite, EngineUnderTest } from '../../src/testing/engine-bench.ts'
import { testEngine } from '../../src/testing/engine-conformance.ts'
import { HANDLERS, PageViews } from '../../examples/custom-engine/page-views.ts'
import { PageViewModel, pageView } from '../custom-engine/page-view-model.ts'
import { encryptedParts, forgetfulHeads, poorDisk, poorParts } from './parts.ts'

const suite: Omit<EngineSuite, 'test' | 'name'> = {
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

testEngine({ test, name: 'page views over poor parts', ...suite, ...poorParts() })
testEngine({ test, name: 'page views on a poor disk', ...suite, ...poorDisk() })
testEngine({ test, name: 'page views over encrypted parts', ...suite, ...encryptedParts() })
testEngine({ test, name: 'page views over heads whose answers are lost', ...suite, ...forgetfulHeads() })
