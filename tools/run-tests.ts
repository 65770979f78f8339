/**
 * `npm test -- [FILTER…] [--name=PATTERN]`: runs the tests whose path contains a filter, all without one.
 *
 * `--name` runs only tests whose name matches a regular expression; the others count as skipped.
 */

import { argv } from 'node:process'
import { exitCodeOf, findTests, runTests, summaryLine } from './test-runner.ts'

const filters = argv.slice(2).filter((argument) => !argument.startsWith('--'))
const name = argv.find((argument) => argument.startsWith('--name='))?.slice('--name='.length)
const unknown = argv.slice(2).find((argument) => argument.startsWith('--') && !argument.startsWith('--name='))

if (unknown !== undefined) {
  console.error(`unknown option ${unknown}; usage: npm test -- [FILTER…] [--name=PATTERN]`)
  process.exitCode = 2
} else {
  const files = findTests({ suffix: '.test.js', filters })
  if (files.length === 0) {
    console.error(
      filters.length === 0 ? 'no compiled tests; run npm run build:test' : `no test matches ${filters.join(', ')}`,
    )
    console.log(summaryLine({ passed: 0, failed: 0, skipped: 0 }))
    process.exitCode = 1
  } else {
    const counts = await runTests(files, {
      concurrency: 2,
      // The longest file takes under two minutes on a slow machine; one that hangs must not hold the run for ever.
      fileTimeoutMs: 15 * 60_000,
      namePattern: name === undefined ? undefined : new RegExp(name),
    })
    console.log(summaryLine(counts))
    process.exitCode = exitCodeOf(counts)
  }
}
