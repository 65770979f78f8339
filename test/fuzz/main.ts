/**
 * `node build/test/fuzz/main.js [CASES] [--seed=N] [--target=NAME] [--case=NUMBER]`: CASES of every cheap parser, and a
 * share of that of dear ones; or one case again, cut down to as few changes as it takes. Exits with 1 where one fails.
 */

import { argv } from 'node:process'
import { describeTarget, watchFuzz } from './fuzz-watch.ts'

const option = (name: string): string | undefined =>
  argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3)
const scale = Number(argv.slice(2).find((argument) => /^[0-9]+$/.test(argument)) ?? 10_000)
const seed = Number(option('seed') ?? 1)
const [target, one] = [option('target'), option('case')]

console.log(`seed ${seed}`)
const wanted = {
  ...(target === undefined ? {} : { target }),
  ...(one === undefined ? {} : { first: Number(one), count: 1 }),
}
await watchFuzz({ scale, seed, ...wanted }, (report) => {
  console.log(describeTarget(report, seed).join('\n'))
  if (report.failures.length > 0) process.exitCode = 1
})
