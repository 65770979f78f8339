/** The table on the terminal, and the same in Markdown. */

import { ratio as ratioText, short } from './quantities.ts'
import type { Line } from './summary.ts'

export function tableCells(lines: readonly Line[], peers: readonly string[]): readonly (readonly string[])[] {
  const several = new Set(lines.map(({ shape }) => shape)).size > 1
  const head = [...(several ? ['data'] : []), 'workload', 'target', 'reached', ...peers]
  const body = lines.map((line) => [
    ...(several ? [line.shape] : []),
    line.workload,
    targetText(line),
    reachedText(line),
    ...peers.map((peer) => cell(line, peer)),
  ])
  return [head, ...body]
}

function targetText({ target: { ratio, against } }: Line): string {
  return `${ratio}×${against === 'best' ? '' : ` ${against}`}`
}

function reachedText({ ratio, target }: Line): string {
  if (ratio === undefined) return '–'
  return `${ratioText(ratio)} ${ratio >= target.ratio ? 'yes' : ratio >= 1 ? 'no' : 'NO'}`
}

function cell({ medians, lacking, best }: Line, peer: string): string {
  const figure = medians.get(peer)
  if (figure === undefined) return lacking.has(peer) ? '–' : ''
  return `${short(figure)}${peer === best ? '*' : ''}`
}

export function terminalTable(cells: readonly (readonly string[])[]): string {
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => (row[column] ?? '').length)))
  return cells
    .map((row) =>
      row
        .map((text, column) => pad(text, widths[column] as number, column > 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

export function markdownTable(cells: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]): string => `| ${row.join(' | ')} |`
  const [head = [], ...body] = cells
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : '--:'))), ...body.map(line)].join('\n')
}

function pad(text: string, width: number, right: boolean): string {
  const space = ' '.repeat(Math.max(0, width - text.length))
  return right ? space + text : text + space
}
