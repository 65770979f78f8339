/** abstract-level's own conformance suite with every write flushed to tables of small blocks, which are compacted all the time. */

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { open } from '../src/local.ts'
import { ASSERTIONS, SUITE_TIMEOUT_MS, passSuite } from './abstract-level-run.ts'
import { FlushingLevel } from './flushing-level.ts'

const SMALL_TABLES = {
  memtableBytes: 2048,
  blockBytes: 128,
  cacheBytes: 0,
  tableBytes: 4096,
  level0Files: 2,
  level0FilesStop: 4,
  levelBytesBase: 8192,
} as const

test(
  "abstract-level's suite passes with every write flushed to small tables",
  { timeout: SUITE_TIMEOUT_MS },
  async () => {
    const totals = { flushes: 0, compactions: 0 }
    const assertions = await passSuite(
      (location, options) =>
        new FlushingLevel(location, options, {
          totals,
          // A thread for every database would cost more than it brings.
          openShard: (directory, shardOptions) =>
            open(directory, { ...shardOptions, settings: SMALL_TABLES, jobs: 'inline' }),
        }),
    )
    assert.equal(assertions, ASSERTIONS)
    assert.ok(totals.flushes > 400, `only ${totals.flushes} flushes`)
    assert.ok(totals.compactions > 20, `only ${totals.compactions} compactions`)
  },
)
