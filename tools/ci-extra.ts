/**
 * `npm run ci:extra`: the checks that need servers, a compiler or more time than `npm test` should take.
 *
 * They are tests too, named `x.extra.ts`, and run one after the other, because they measure and kill processes.
 */

import { argv } from 'node:process'
import { exitCodeOf, findTests, runTests, summaryLine } from './test-runner.ts'

const files = findTests({ suffix: '.extra.js', filters: argv.slice(2) })
if (files.length === 0) {
  console.log('no extra checks: nothing is named *.extra.ts')
  console.log(summaryLine({ passed: 0, failed: 0, skipped: 0 }))
  process.exitCode = argv.length > 2 ? 1 : 0
} else {
  const counts = await runTests(files, { concurrency: 1, fileTimeoutMs: 60 * 60_000 })
  console.log(summaryLine(counts))
  process.exitCode = exitCodeOf(counts)
}
