/** `npm run bench`: measures varve against its peers. See README.md beside this file. */

import { argv } from 'node:process'
import { fileURLToPath } from 'node:url'
import { Bench, WrongResult } from './bench.ts'
import { USAGE, parseOptions } from './options.ts'
import type { BenchOptions } from './options.ts'
import { summarise } from './report/summary.ts'
import { RowFile } from './report/row.ts'
import type { Row } from './report/row.ts'
import { tableCells, terminalTable } from './report/text-table.ts'

async function main(): Promise<number> {
  let options: BenchOptions
  try {
    options = parseOptions(argv.slice(2))
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    return 2
  }
  const rows = new RowFile(options.out ?? standardPath(), { resume: options.resume })
  try {
    await new Bench(options, rows).run()
  } catch (error) {
    if (!(error instanceof WrongResult)) throw error
    console.error(`wrong result: ${error.message}`)
    return 1
  }
  console.log(settingsText(rows.rows))
  console.log(`\n${terminalTable(tableCells(summarise(rows.rows), options.peers))}\n\nresults: ${rows.path}`)
  return rows.rows.some(({ lacking }) => lacking?.startsWith('failed') === true) ? 1 : 0
}

/** This module runs from `bench/build/`. */
function standardPath(): string {
  const name = new Date().toISOString().slice(0, 19).replaceAll(':', '-')
  return fileURLToPath(new URL(`../results/${name}.jsonl`, import.meta.url))
}

/** How each peer was opened. */
function settingsText(rows: readonly Row[]): string {
  const settings = new Map<string, string>()
  for (const row of rows) {
    if (row.lacking === undefined) settings.set(row.peer, JSON.stringify(row.settings))
  }
  return [...settings].map(([peer, text]) => `${peer}: ${text}`).join('\n')
}

process.exitCode = await main()
