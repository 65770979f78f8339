/**
 * abstract-level's own conformance suite over compositions, with every write flushed to tiny tables.
 *
 * Each runs in a process of its own, two at a time: node:test follows every promise of its process, and the suite makes
 * so many that this is a quarter of its time.
 */

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { execPath } from 'node:process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { ASSERTIONS, GET_SYNC_ASSERTIONS, SUITE_TIMEOUT_MS } from './abstract-level-run.ts'
import type { Composition } from './compositions.ts'
import type { LevelReport } from './abstract-level-process.ts'

const PROCESS = fileURLToPath(new URL('./abstract-level-process.js', import.meta.url))

const run = promisify(execFile)

export function testLevelOver(compositions: readonly Composition[]): void {
  describe('abstract-level', { concurrency: 2 }, () => {
    for (const { name, syncReads = true } of compositions) {
      test(`${name}: abstract-level's suite passes`, { timeout: SUITE_TIMEOUT_MS }, async (context) => {
        const { stdout } = await run(execPath, [PROCESS, name], { timeout: SUITE_TIMEOUT_MS })
        context.diagnostic(stdout.trim())
        const report = JSON.parse(stdout) as LevelReport
        assert.equal(report.assertions, syncReads ? ASSERTIONS : ASSERTIONS - GET_SYNC_ASSERTIONS)
        assert.ok(report.flushes > (report.everyDatabase ? 400 : 10), `only ${report.flushes} flushes`)
        // A compaction needs several flushes of one database: there are few of those that flush with threads.
        if (report.everyDatabase) assert.ok(report.compactions > 60, `only ${report.compactions} compactions`)
      })
    }
  })
}
