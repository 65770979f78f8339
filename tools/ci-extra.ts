/**
 * `npm run ci:extra`: the checks that need servers, a compiler or more time than `npm test` should take.
 *
 * They are tests too, named `x.extra.ts`. Those whose results do not depend on how fast they are run two at a time; the
 * others one after the other, because they measure, or have little time.
 */

import { argv } from 'node:process'
import { exitCodeOf, findTests, runTests, summaryLine } from './test-runner.ts'

/** Beginnings of the paths of those that may run beside another, the longest first, so that none runs on alone. */
const BESIDE_OTHERS = [
  'test/crash/',
  'bench/smoke',
  'tools/sometimes/',
  'test/abstract-level-compositions',
  'test/flushing-level',
  'test/corruption/',
  'test/nats/nats-kv',
  'test/seeds/',
  'test/kill.extra',
  'test/faults/',
  'test/metamorphic/',
  'test/postgres/postgres-level',
  'test/interleavings/',
  'test/network/',
  'test/kv-compositions',
  'test/arrangement/',
  'test/engine-conformance/',
  'test/jobs/',
  'test/cluster-processes/databases',
  'test/s3/radosgw-away',
]
const FILE_TIMEOUT_MS = 60 * 60_000

const files = findTests({ suffix: '.extra.js', filters: argv.slice(2) })
if (files.length === 0) {
  console.log('no extra checks: nothing is named *.extra.ts')
  console.log(summaryLine({ passed: 0, failed: 0, skipped: 0 }))
  process.exitCode = argv.length > 2 ? 1 : 0
} else {
  const chosen = new Set(files)
  const besideOthers = new Set(
    BESIDE_OTHERS.flatMap((path) => findTests({ suffix: '.extra.js', filters: [path] })).filter((file) =>
      chosen.has(file),
    ),
  )
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const [part, concurrency] of [
    [[...besideOthers], 2],
    [files.filter((file) => !besideOthers.has(file)), 1],
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
