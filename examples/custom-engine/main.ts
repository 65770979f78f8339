/** Counts some page views and reads them back: `node main.js DIRECTORY`. */
import { localComponents } from 'varve'
import { HANDLERS, PageViews } from './page-views.ts'
const components = await localComponents(process.argv[2] ?? 'page-views', { handlers: HANDLERS })
const views = await PageViews.open(components)
for (let view = 0; view < 100_000; view++) void views.add(view % 1000, 20_000 + (view % 7))
await views.shard.flush()
console.log('page 42 on day 20,000:', await views.count(42, 20_000), 'by day:', await views.totals('day'))
await views.shard.close()
await components.close()
