/**
 * Finds compiled tests and runs them, each file in a process of its own, a few at a time.
 *
 * Node 20 takes no globs on its command line, so the files are found here. A run in which nothing ran is a failure: so
 * is a test file without a test, and a file that matches no source any more never runs (tools/prune.mjs, and again here).
 */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { stdout } from 'node:process'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { finished } from 'node:stream/promises'
import { ROOT } from './repository.ts'

export interface TestSelection {
  /** How compiled files end: `.test.js` or `.extra.js`. */
  readonly suffix: string
  /** Keep files whose path contains one of these; all when empty. */
  readonly filters: readonly string[]
}

export interface TestRunOptions {
  /** Test processes at a time. */
  readonly concurrency: number
  /** A file that takes longer has failed. */
  readonly fileTimeoutMs: number
  /** Run only tests whose name matches. */
  readonly namePattern?: RegExp | undefined
}

export interface TestCounts {
  passed: number
  failed: number
  skipped: number
}

/** Absolute paths of compiled tests under `build`, sorted. */
export function findTests(selection: TestSelection, build: string = join(ROOT, 'build')): readonly string[] {
  if (!existsSync(build)) return []
  return readdirSync(build, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(selection.suffix))
    .filter((path) => existsSync(join(ROOT, path.replace(/\.js$/, '.ts'))))
    .filter((path) => selection.filters.length === 0 || selection.filters.some((filter) => path.includes(filter)))
    .sort()
    .map((path) => join(build, path))
}

/** Runs `files`, prints each test as it ends, and counts tests, suites aside. */
export async function runTests(files: readonly string[], options: TestRunOptions): Promise<TestCounts> {
  const counts: TestCounts = { passed: 0, failed: 0, skipped: 0 }
  const events = run({
    files: [...files],
    concurrency: options.concurrency,
    timeout: options.fileTimeoutMs,
    ...(options.namePattern === undefined ? {} : { testNamePatterns: options.namePattern }),
  })
  events.on('test:pass', (event) => {
    if (isSuite(event.details)) return
    if (event.skip !== undefined || event.todo !== undefined) counts.skipped++
    // A file that defines no test is reported as one test with the name of the file.
    else if (event.file !== undefined && event.name === event.file) {
      counts.failed++
      stdout.write(`\u2716 ${event.file} defines no test\n`)
    } else counts.passed++
  })
  events.on('test:fail', (event) => {
    if (isSuite(event.details)) return
    if (event.todo === undefined) counts.failed++
    else counts.skipped++
  })
  const printed = events.compose(new spec())
  printed.pipe(stdout, { end: false })
  await finished(printed)
  return counts
}

/** The last line of every run: `N passed, N failed`, and `, N skipped` when some were. */
export function summaryLine(counts: TestCounts): string {
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
  return `${counts.passed} passed, ${counts.failed} failed${skipped}`
}

/** A run is good when something ran and nothing failed. */
export function exitCodeOf(counts: TestCounts): number {
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1
}

/** A suite fails when a test in it does, which has been counted. */
function isSuite(details: object): boolean {
  return 'type' in details && details.type === 'suite'
}
