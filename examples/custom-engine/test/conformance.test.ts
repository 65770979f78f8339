/** The example engine keeps what every engine promises: recovery, takeover, compaction, snapshots, clone, damage. */

import { test } from 'node:test'
import { testEngine } from 'varve/testing'
import { PAGE_VIEWS_SUITE } from './page-views-suite.ts'

testEngine({ test, name: 'page views', ...PAGE_VIEWS_SUITE })
