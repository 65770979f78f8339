/** `npm run bench`: measures varve against its peers. See README.md beside this file. */

import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { Bench, WrongResult } from './bench.ts'
import { USAGE, parseOptions } from './options.ts'
import type { BenchOptions } from './options.ts'
import { writeReport } from './report/report.ts'
import { RowFile } from './report/row.ts'
import type { Row } from './report/row.ts'

async function main(): Promise<number> {
  if (argv.includes('--help')) {
    console.log(USAGE)
    return 0
  }
  let options: BenchOptions
  try {
    options = parseOptions(argv.slice(2))
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    return 2
  }
  const rows = new RowFile(options.out ?? standardPath(), { resume: options.resume })
  try {
    if (options.mode !== 'report') for (const scene of options.scenes) await new Bench(options, scene, rows).run()
  } catch (error) {
    if (!(error instanceof WrongResult)) throw error
    console.error(`wrong result: ${error.message}`)
    return 1
  }
  if (options.mode === 'smoke') {
    console.log(smokeText(rows.rows))
    return failed(rows.rows) ? 1 : 0
  }
  const report = writeReport(rows)
  console.log(`${report.text}\n\n${report.paths.join('\n')}`)
  return failed(rows.rows) ? 1 : 0
}

function failed(rows: readonly Row[]): boolean {
  return rows.some(({ lacking }) => lacking?.startsWith('failed') === true)
}

/** Times of a smoke run mean nothing, so it does not show them. */
function smokeText(rows: readonly Row[]): string {
  const checked = rows.filter(({ digest }) => digest !== '')
  const absent = rows.filter(({ workload, lacking }) => workload === 'prepare' && lacking !== undefined)
  const peers = new Set(checked.map(({ peer }) => peer))
  return [
    `${checked.length} results of ${peers.size} peers checked, every byte: ${[...peers].join(', ')}`,
    ...absent.map(({ peer, lacking }) => `${peer}: ${lacking}`),
  ].join('\n')
}

/** This module runs from `bench/build/`. */
function standardPath(): string {
  const name = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  return fileURLToPath(new URL(`../results/${name}.jsonl`, import.meta.url))
}

process.exitCode = await main()
