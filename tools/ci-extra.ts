/**
 * `npm run ci:extra`: the checks that need servers, a compiler or more time than `npm test` should take.
 *
 * They are tests too, named `x.extra.ts`. Those that only compute run two at a time; the others one after the other,
 * because they measure, install, build, or have little time.
 */

import { argv } from 'node:process'
import { exitCodeOf, findTests, runTests, summaryLine } from './test-runner.ts'

/** Beginnings of the paths of those that only compute: what they find does not depend on how fast they are. */
const COMPUTING = [
  'test/abstract-level-compositions',
  'test/arrangement/',
  'test/corruption/',
  'test/crash/',
  'test/engine-conformance/',
  'test/faults/',
  'test/interleavings/',
  'test/jobs/',
  'test/kill.extra',
  'test/kv-compositions',
  'test/metamorphic/',
  'test/network/',
  'test/seeds/',
  'tools/sometimes/',
]
const FILE_TIMEOUT_MS = 60 * 60_000

const files = findTests({ suffix: '.extra.js', filters: argv.slice(2) })
if (files.length === 0) {
  console.log('no extra checks: nothing is named *.extra.ts')
  console.log(summaryLine({ passed: 0, failed: 0, skipped: 0 }))
  process.exitCode = argv.length > 2 ? 1 : 0
} else {
  const computing = new Set(findTests({ suffix: '.extra.js', filters: COMPUTING }))
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const [part, concurrency] of [
    [files.filter((file) => computing.has(file)), 2],
    [files.filter((file) => !computing.has(file)), 1],
  ] as const) {
    if (part.length === 0) continue
    const { passed, failed, skipped } = await runTests(part, { concurrency, fileTimeoutMs: FILE_TIMEOUT_MS })
    counts.passed += passed
    counts.failed += failed
    counts.skipped += skipped
  }
  console.log(summaryLine(counts))
  process.exitCode = exitCodeOf(counts)
}
