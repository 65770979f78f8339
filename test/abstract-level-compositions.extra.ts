/**
 * abstract-level's suite over five compositions; two more run in `npm test`, and over journals on NATS and in PostgreSQL in
 * test/nats and test/postgres. What it says of policies, caches, memtables, blocks, jobs on the main thread, lost answers,
 * shared logs and encryption in threads, the model says better.
 */

import { testLevelOver } from './abstract-level-compositions.ts'
import { COMPOSITIONS } from './compositions.ts'

const LEFT_OUT = new Set([
  'everything in memory',
  'a directory and jobs on the main thread',
  'heads whose answers are lost',
  'a log shared with a neighbour',
  'a sorted array as the memtable',
  'no compression, no filter, tiny blocks',
  'poor stores, a poor journal and poor jobs',
  'an encrypted directory and worker threads',
  'tiered compaction',
  'lazy-leveled compaction',
  'no cache',
])

testLevelOver(COMPOSITIONS.filter(({ name }) => !LEFT_OUT.has(name)))
