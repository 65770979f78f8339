/** Latencies by quantile, and what happens as data grow: lines over logarithmic axes. */

import { workloadNamed } from '../workloads/workload-table.ts'
import { groupBy } from './groups.ts'
import { median, short } from './quantities.ts'
import type { Row } from './row.ts'
import { FAINT, INK, RULE, colourOf, curve, legend, line, picture, text } from './svg.ts'
import { figureOf } from './tables.ts'

const MARGIN = 40
const TOP = 118
const PANEL_WIDTH = 500
const PANEL_HEIGHT = 300
const GAP = 80
const AXIS = 60

const QUANTILES = [
  ['p50', 'P50Ms'],
  ['p90', 'P90Ms'],
  ['p99', 'P99Ms'],
  ['p99.9', 'P999Ms'],
  ['p99.99', 'P9999Ms'],
] as const

interface Series {
  readonly peer: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

interface Panel {
  readonly title: string
  readonly unit: string
  /** Names of the places on the x axis, 0, 1, 2 … */
  readonly marks: readonly string[]
  readonly series: readonly Series[]
}

/** Undefined where no latency was measured. */
export function latencyChart(rows: readonly Row[], peers: readonly string[]): string | undefined {
  const measured = rows.filter(({ workload, lacking }) => workload.startsWith('latency/') && lacking === undefined)
  if (measured.length === 0) return undefined
  const panels = [...groupBy(measured, ({ workload }) => workload)].flatMap(([workload, group]) =>
    (['put', 'get'] as const).map((kind): Panel => {
      const offered = workload === 'latency/half' ? 'half of its own peak offered' : 'the same rate offered to all'
      const series = peers.map((peer): Series => {
        const own = group.filter((row) => row.peer === peer)
        const points = QUANTILES.map(([, name], x) => ({ x, y: figureOf(own, kind + name) ?? 0 })).filter(
          ({ y }) => y > 0,
        )
        return { peer, points }
      })
      return { title: `${kind}, ${offered}`, unit: 'ms', marks: QUANTILES.map(([name]) => name), series }
    }),
  )
  return chart(
    'Latency',
    'From when an operation was due to when it was answered, while flushes and compactions run. Lower is better.',
    panels,
    peers,
  )
}

/** Undefined where only one size was measured. */
export function growthChart(rows: readonly Row[], peers: readonly string[]): string | undefined {
  const sized = rows.filter(({ shape, lacking }) => shape.endsWith(' × 100 B') && lacking === undefined)
  const shapes = [...groupBy(sized, ({ shape }) => shape).keys()]
  if (shapes.length < 2) return undefined
  const workloads = ['prepare', 'readrandom/awaited', 'readrandom/inflight', 'readrandom/sync', 'readseq']
  const panels = workloads.map((workload): Panel => {
    const series = peers.map((peer): Series => {
      const points = shapes.map((shape, x) => {
        const own = sized.filter((row) => row.workload === workload && row.peer === peer && row.shape === shape)
        return { x, y: own.length === 0 ? 0 : median(own.map(({ perSecond }) => perSecond)) }
      })
      return { peer, points: points.filter(({ y }) => y > 0) }
    })
    return {
      title: workload === 'prepare' ? 'fill random, batches of 100' : workloadNamed(workload).title,
      unit: '/s',
      marks: shapes,
      series,
    }
  })
  return chart('Growth', 'Throughput as data grow. Flat is best.', panels, peers)
}

function chart(title: string, subtitle: string, panels: readonly Panel[], peers: readonly string[]): string {
  const width = 2 * MARGIN + 2 * PANEL_WIDTH + GAP
  const height = TOP + Math.ceil(panels.length / 2) * (PANEL_HEIGHT + GAP)
  return picture(width, height, [
    text(MARGIN, 46, title, { size: 24, bold: true }),
    text(MARGIN, 68, subtitle, { size: 13, colour: FAINT }),
    legend(MARGIN, 96, peers),
    ...panels.map((each, index) =>
      panel(each, MARGIN + (index % 2) * (PANEL_WIDTH + GAP), TOP + Math.floor(index / 2) * (PANEL_HEIGHT + GAP)),
    ),
  ])
}

function panel({ title, unit, marks, series }: Panel, x: number, y: number): string {
  const figures = series.flatMap(({ points }) => points.map((point) => point.y))
  const [low, high] = [Math.floor(Math.log10(Math.min(...figures))), Math.ceil(Math.log10(Math.max(...figures)))]
  const [left, right, top, bottom] = [x + AXIS, x + PANEL_WIDTH, y + 36, y + PANEL_HEIGHT]
  const across = (mark: number): number => left + 20 + (mark * (right - left - 40)) / Math.max(1, marks.length - 1)
  const down = (figure: number): number =>
    bottom - ((Math.log10(figure) - low) / Math.max(1, high - low)) * (bottom - top)
  const decades = Array.from({ length: Math.max(1, high - low) + 1 }, (_, index) => 10 ** (low + index))
  // varve last, on top of the others.
  const ordered = [...series].sort((a, b) => Number(a.peer === 'varve') - Number(b.peer === 'varve'))
  return [
    text(x, y + 14, title, { size: 13, bold: true }),
    ...decades.map(
      (figure) =>
        line(left, down(figure), right, down(figure), RULE) +
        text(left - 8, down(figure) + 4, decade(figure, unit), {
          anchor: 'end',
          size: 11,
          colour: FAINT,
        }),
    ),
    ...marks.map((mark, index) => text(across(index), bottom + 20, mark, { anchor: 'middle', size: 11, colour: INK })),
    ...ordered
      .filter(({ points }) => points.length > 0)
      .map(({ peer, points }) =>
        curve(
          points.map((point) => [across(point.x), down(point.y)] as const),
          colourOf(peer),
          peer === 'varve',
        ),
      ),
  ].join('\n')
}

/** 1000 ms → 1 s, 0.1 ms → 100 µs, 100000 /s → 100k/s. */
function decade(figure: number, unit: string): string {
  if (unit !== 'ms') return `${short(figure).replace(/\.0+(?=\D|$)/, '')}${unit}`
  if (figure >= 1000) return `${figure / 1000} s`
  return figure >= 1 ? `${figure} ms` : `${Math.round(figure * 1000)} µs`
}
