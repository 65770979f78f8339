/** Tables on the terminal and in Markdown, medians in JSON, charts: all from the rows alone. */

import { writeFileSync } from 'node:fs'
import { arch, cpus, platform, release, totalmem } from 'node:os'
import { version } from 'node:process'
import { PEER_NAMES } from '../peers/peer-table.ts'
import { barChart } from './bar-chart.ts'
import { groupBy } from './groups.ts'
import { growthChart, latencyChart } from './line-charts.ts'
import { otherTargetCells } from './other-targets.ts'
import { bytes } from './quantities.ts'
import type { Row, RowFile } from './row.ts'
import { perProcessorSecond, summarise } from './summary.ts'
import type { Line } from './summary.ts'
import { latencyCells, limitCells, openingCells, storageCells } from './tables.ts'
import type { Cells } from './tables.ts'
import { markdownTable, tableCells, terminalTable } from './text-table.ts'

export interface Report {
  readonly text: string
  /** Files that were written. */
  readonly paths: readonly string[]
}

const LEGEND = `\`*\`: the fastest peer that persists. "reached" is varve to that peer, or to what the target names; \`no\` misses the target, \`NO\` is
also slower than the yardstick. db_bench is RocksDB in C++ without Node, a mark and no peer.`

export function writeReport({ rows, path }: RowFile): Report {
  const sections = sectionsOf(rows)
  const stem = path.replace(/\.jsonl$/, '')
  const markdown = [
    `# Benchmarks\n\n${machine()}\n\n${LEGEND}`,
    ...sections.map(([title, cells]) => `## ${title}\n\n${markdownTable(cells)}`),
    `## Settings\n\n${[...settings(rows)].map(([peer, text]) => `- ${peer}: \`${text}\``).join('\n')}`,
  ].join('\n\n')
  const files: [string, string][] = [
    [`${stem}.md`, `${markdown}\n`],
    [`${stem}.json`, `${JSON.stringify(medians(rows), undefined, 1)}\n`],
    ...charts(rows).map(([name, svg]): [string, string] => [`${stem}-${name}.svg`, svg]),
  ]
  for (const [file, text] of files) writeFileSync(file, text)
  const text = [
    [...settings(rows)].map(([peer, line]) => `${peer}: ${line}`).join('\n'),
    ...sections.map(([title, cells]) => `${title}\n\n${terminalTable(cells)}`),
  ].join('\n\n')
  return { text, paths: [path, ...files.map(([file]) => file)] }
}

function sectionsOf(rows: readonly Row[]): readonly (readonly [string, Cells])[] {
  const throughput = throughputSections(rows, 'Throughput', summarise(rows))
  // A limit of the disk is no matter of processor time.
  const costs = summarise(rows, perProcessorSecond).filter(({ target }) => target.against !== 'fdatasync')
  const processor = throughputSections(rows, 'Operations in a second of processor time', costs)
  const others = [
    ['Other targets', otherTargetCells(rows)],
    ['Latency at a fixed offered rate, ms', latencyCells(rows)],
    ['Storage', storageCells(rows)],
    ['Opening', openingCells(rows)],
    ['Limits of the machine', limitCells(rows)],
  ] as const
  return [...throughput, ...processor, ...others.filter(([, cells]) => cells.length > 0)]
}

function throughputSections(
  rows: readonly Row[],
  title: string,
  lines: readonly Line[],
): readonly (readonly [string, Cells])[] {
  const shown = lines.filter(({ workload, medians: figures }) => figures.size > 0 && hasThroughput(workload))
  return [...groupBy(shown, ({ shape }) => shape)].map(([shape, group]) => [
    `${title}, ${shape}`,
    tableCells(group, peersOf(rows)),
  ])
}

/** Latency is offered its rate, and opening is no rate at all. */
function hasThroughput(workload: string): boolean {
  return !/^(?:latency\/|open$|recover$)/.test(workload)
}

/** Those that were measured, in the order of the peer table; other builds of varve come first. */
function peersOf(rows: readonly Row[]): readonly string[] {
  const measured = new Set(rows.map(({ peer }) => peer))
  const builds = [...measured].filter((peer) => peer.includes('@'))
  return [...builds, ...PEER_NAMES.filter((peer) => measured.has(peer))]
}

/** How each peer was opened. */
function settings(rows: readonly Row[]): ReadonlyMap<string, string> {
  const texts = new Map<string, string>()
  for (const { peer, lacking, settings: used } of rows) {
    if (lacking === undefined && Object.keys(used).length > 0) texts.set(peer, JSON.stringify(used))
  }
  return texts
}

function medians(rows: readonly Row[]): unknown {
  return {
    machine: machine(),
    lines: summarise(rows).map(({ medians: figures, lacking, ...line }) => ({
      ...line,
      perSecond: Object.fromEntries(figures),
      lacking: Object.fromEntries(lacking),
    })),
    settings: Object.fromEntries(settings(rows)),
  }
}

function charts(rows: readonly Row[]): readonly (readonly [string, string])[] {
  const lines = summarise(rows).filter(({ workload }) => hasThroughput(workload))
  const bars = [...groupBy(lines, ({ shape }) => shape)].map(([shape, group], index): [string, string] => [
    `throughput${index === 0 ? '' : `-${index + 1}`}`,
    barChart(shape, group, peersOf(rows)),
  ])
  const latency = latencyChart(rows, peersOf(rows))
  const growth = growthChart(rows, peersOf(rows))
  return [
    ...bars,
    ...(latency === undefined ? [] : [['latency', latency] as const]),
    ...(growth === undefined ? [] : [['growth', growth] as const]),
  ]
}

function machine(): string {
  const [cpu] = cpus()
  const processor = `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}`
  return `${processor}, ${bytes(totalmem())} of memory, ${platform()} ${release()} ${arch()}, Node ${version}`
}
