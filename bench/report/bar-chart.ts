/** Throughput: a panel for each workload, a bar for each peer, each panel in its own scale because only ratios matter. */

import { workloadNamed } from '../workloads/workload-table.ts'
import { ratio, short } from './quantities.ts'
import type { Line } from './summary.ts'
import { FAINT, bar, colourOf, legend, line, picture, text } from './svg.ts'

const COLUMNS = 3
const PANEL_WIDTH = 350
const GAP = 36
const MARGIN = 40
const TOP = 118
const HEAD = 56
const BAR = 15
const BAR_STEP = 20
const NAME_WIDTH = 100
const FIGURE_WIDTH = 62

export function barChart(shape: string, lines: readonly Line[], peers: readonly string[]): string {
  const rows = Array.from({ length: Math.ceil(lines.length / COLUMNS) }, (_, index) =>
    lines.slice(index * COLUMNS, (index + 1) * COLUMNS),
  )
  const content: string[] = []
  let y = TOP
  for (const row of rows) {
    row.forEach((each, column) => content.push(panel(each, peers, MARGIN + column * (PANEL_WIDTH + GAP), y)))
    y += Math.max(...row.map((each) => HEAD + present(each, peers).length * BAR_STEP)) + GAP - 8
  }
  const width = 2 * MARGIN + COLUMNS * PANEL_WIDTH + (COLUMNS - 1) * GAP
  return picture(width, y, [
    text(MARGIN, 46, `Throughput, ${shape}`, { size: 24, bold: true }),
    text(MARGIN, 68, 'Medians. Longer is faster; every panel has its own scale.', { size: 13, colour: FAINT }),
    legend(MARGIN, 96, peers),
    ...content,
  ])
}

function panel(each: Line, peers: readonly string[], x: number, y: number): string {
  const { title, unit } = workloadNamed(each.workload)
  const shown = present(each, peers)
  const largest = Math.max(...shown.map((peer) => each.medians.get(peer) ?? 0))
  const scale = (PANEL_WIDTH - NAME_WIDTH - FIGURE_WIDTH) / largest
  const bars = shown.map((peer, index) => {
    const figure = each.medians.get(peer) ?? 0
    const top = y + HEAD - 14 + index * BAR_STEP
    const own = peer === 'varve'
    return [
      text(x + NAME_WIDTH - 8, top + 12, peer, { anchor: 'end', bold: own, colour: own ? colourOf(peer) : FAINT }),
      bar(x + NAME_WIDTH, top, figure * scale, BAR, colourOf(peer)),
      text(x + NAME_WIDTH + figure * scale + 6, top + 12, short(figure), { bold: own }),
    ].join('')
  })
  const { ratio: against, target } = each
  const yardstick = target.against === 'best' ? 'the best peer' : target.against
  const reached = against === undefined ? '' : ` · ${ratio(against)} ${yardstick}, target ${target.ratio}×`
  return [
    line(x, y - 6, x + PANEL_WIDTH, y - 6),
    text(x, y + 12, title, { size: 13, bold: true }),
    text(x, y + 28, unit + reached, { colour: FAINT, size: 11 }),
    ...bars,
  ].join('\n')
}

function present({ medians }: Line, peers: readonly string[]): readonly string[] {
  return peers.filter((peer) => medians.has(peer))
}
