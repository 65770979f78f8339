/** `npm run simulate:policy`: what each compaction policy costs on a workload, as a table and as a drawing. */

import { writeFileSync } from 'node:fs'
import { argv, exit, stderr, stdout } from 'node:process'
import { KV_POLICIES } from '../../src/engines/kv/settings.ts'
import { renderTable } from '../../src/cli/text-table.ts'
import { drawChart } from './chart.ts'
import type { Chart, Panel } from './chart.ts'
import { HELP, parseParameters } from './parameters.ts'
import type { Parameters } from './parameters.ts'
import { fillMemtables, scaledSettings, simulate } from './simulation.ts'
import type { Course, Moment } from './simulation.ts'
import { makeWorkload } from './workload.ts'

const KEY_BYTES = 16

main(argv.slice(2))

function main(args: readonly string[]): void {
  let parameters: Parameters | undefined
  try {
    parameters = parseParameters(args)
  } catch (error) {
    stderr.write(`${(error as Error).message}\n\n${HELP}\n`)
    exit(2)
  }
  if (parameters === undefined) {
    stdout.write(`${HELP}\n`)
    return
  }
  const courses = run(parameters)
  writeFileSync(parameters.out, drawChart(toChart(parameters, courses)))
  stdout.write(`${describe(parameters)}\n\n${table(courses).join('\n')}\n\ndrawn in ${parameters.out}\n`)
}

function run(parameters: Parameters): readonly Course[] {
  const entryBytes = KEY_BYTES + parameters.valueBytes
  const entries = Math.max(1, Math.floor(parameters.memtableBytes / entryBytes))
  const settings = scaledSettings(parameters.memtableBytes, parameters.keys * entryBytes)
  const kept = fillMemtables(makeWorkload({ ...parameters, deletes: true }), entries)
  return parameters.policies.map((policy) => {
    // What forgets by itself is not told to delete.
    const forgets = policy === 'fifo' && parameters.distribution === 'series'
    const flushes = forgets ? fillMemtables(makeWorkload({ ...parameters, deletes: false }), entries) : kept
    return simulate(policy, flushes, settings, { entryBytes, deletionBytes: KEY_BYTES, speed: parameters.speed })
  })
}

function describe({ distribution, keys, writes, valueBytes, memtableBytes }: Parameters): string {
  const entryBytes = KEY_BYTES + valueBytes
  const memtables = Math.round((writes * entryBytes) / memtableBytes)
  return `${distribution}: ${inWords(writes)} writes to ${inWords(keys)} keys, ${memtables} memtables of ${Math.floor(memtableBytes / entryBytes)} entries`
}

function table(courses: readonly Course[]): readonly string[] {
  return renderTable(
    [
      { title: 'policy' },
      { title: 'write', align: 'right' },
      { title: 'read, mean', align: 'right' },
      { title: 'most', align: 'right' },
      { title: 'space, mean', align: 'right' },
      { title: 'most', align: 'right' },
      { title: 'merges', align: 'right' },
      { title: 'moves', align: 'right' },
      { title: 'writes waited', align: 'right' },
    ],
    courses.map(({ policy, moments, totals, heldShare }) => [
      policy,
      (moments.at(-1)?.writeAmplification ?? 0).toFixed(2),
      ...meanAndMost(moments, (moment) => moment.readAmplification, 1),
      ...meanAndMost(moments, (moment) => moment.spaceAmplification, 2),
      String(totals.compactions),
      String(totals.moves),
      `${(heldShare * 100).toFixed(0)} %`,
    ]),
  )
}

function meanAndMost(
  moments: readonly Moment[],
  valueOf: (moment: Moment) => number,
  digits: number,
): readonly [mean: string, most: string] {
  const values = moments.map(valueOf)
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return [mean.toFixed(digits), Math.max(...values).toFixed(digits)]
}

function toChart(parameters: Parameters, courses: readonly Course[]): Chart {
  const panel = (
    heading: string,
    meaning: string,
    valueOf: (moment: Moment) => number,
    logarithmic = false,
  ): Panel => ({
    heading,
    meaning,
    logarithmic,
    lines: courses.map(({ policy, moments }) => ({
      name: policy,
      color: KV_POLICIES.indexOf(policy),
      values: moments.map(valueOf),
    })),
  })
  return {
    title: 'What compaction policies cost',
    subtitle: describe(parameters),
    xLabel: 'writes',
    xLast: parameters.writes,
    panels: [
      panel(
        'Write amplification',
        'bytes of files written for each byte written by the program',
        (moment) => moment.writeAmplification,
      ),
      panel(
        'Read amplification',
        'sorted runs that a scan merges, and that a point read looks into where no filter helps',
        (moment) => moment.readAmplification,
        true,
      ),
      panel(
        'Space amplification',
        'bytes of files for each byte of live data; below 1, some has been forgotten',
        (moment) => moment.spaceAmplification,
      ),
    ],
  }
}

/** 1,200,000: not in the language of the machine. */
function inWords(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}
