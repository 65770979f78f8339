/**
 * Runs one part of the corruption sweep and prints its report.
 *
 * `node build/test/corruption/sweep-part.js FIRST STEP KIND…` takes those cases whose number leaves FIRST when divided by
 * STEP, of each KIND of damage (damage.ts); all kinds where none is named. The whole sweep is this with
 * `0 1`. Exits with 1 where an answer was wrong.
 */

import { argv, stdout } from 'node:process'
import { DAMAGES } from './damage.ts'
import { makeSharedLogSpecimens, makeSpecimens } from './specimen.ts'
import { casesOf, describeReport, sweep } from './sweep.ts'
import type { SweepReport } from './sweep.ts'

const [first = '0', step = '1', ...kinds] = argv.slice(2)
let failed = false
for (const kind of kinds.length > 0 ? kinds : Object.keys(DAMAGES)) {
  const damages = DAMAGES[kind]
  if (damages === undefined) throw new Error(`unknown kind ${kind}: ${Object.keys(DAMAGES).join(', ')}`)
  const report: SweepReport = { tallies: new Map(), failures: [] }
  const start = performance.now()
  for (const specimen of [...(await makeSpecimens()), ...(await makeSharedLogSpecimens())]) {
    await sweep(specimen, damages(specimen), { first: Number(first), step: Number(step), thoroughEvery: 64 }, report)
  }
  const seconds = (performance.now() - start) / 1000
  stdout.write(`${kind}: ${casesOf(report)} cases in ${seconds.toFixed(0)} s\n`)
  for (const line of describeReport(report)) stdout.write(`  ${line}\n`)
  for (const failure of report.failures) stdout.write(`  WRONG: ${failure}\n`)
  failed ||= report.failures.length > 0
}
if (failed) process.exitCode = 1
