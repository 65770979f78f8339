/**
 * The drawing: a panel for each amplification, a line for each policy, named at its end.
 *
 *      title, what was simulated
 *      ┌ panel ────────────────────┐
 *      │ heading, what it means    │
 *      │ scale │ lines      names  │
 *      └───────────────────────────┘
 *      ⋮
 *
 * SVG written by hand: lines of at most POINTS_MAX points, colours that follow the reader's light or dark scheme.
 */

export interface Line {
  readonly name: string
  /** Class of its colour: line-0 … line-3. */
  readonly color: number
  /** One value for each x of the panel. */
  readonly values: readonly number[]
}

export interface Panel {
  readonly heading: string
  readonly meaning: string
  /** Scale by factors of two rather than by equal steps. */
  readonly logarithmic: boolean
  readonly lines: readonly Line[]
}

export interface Chart {
  readonly title: string
  readonly subtitle: string
  readonly xLabel: string
  /** Largest x; values are at equal steps up to it. */
  readonly xLast: number
  readonly panels: readonly Panel[]
}

const POINTS_MAX = 160
const WIDTH = 960
const HEAD = 92
const PANEL = 264
const FOOT = 18
const PLOT = Object.freeze({ left: 64, right: 812, top: 62, bottom: 218 })
const LABEL_GAP = 17

const STYLE = `
  svg { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; background: #fff }
  text { fill: #1f2937 } .soft { fill: #6b7280 } .title { font-size: 21px; font-weight: 650 }
  .heading { font-size: 15px; font-weight: 600 } .card { fill: #f9fafb; stroke: #e5e7eb }
  .grid { stroke: #e5e7eb } .line { fill: none; stroke-width: 2; stroke-linejoin: round }
  .name { font-weight: 600 }
  .line-0 { stroke: #2563eb } .line-1 { stroke: #d97706 } .line-2 { stroke: #059669 } .line-3 { stroke: #9333ea }
  .name-0 { fill: #2563eb } .name-1 { fill: #b45309 } .name-2 { fill: #047857 } .name-3 { fill: #9333ea }
  @media (prefers-color-scheme: dark) {
    svg { background: #111827 } text { fill: #f3f4f6 } .soft { fill: #9ca3af }
    .card { fill: #1f2937; stroke: #374151 } .grid { stroke: #374151 }
    .line-0 { stroke: #60a5fa } .line-1 { stroke: #fbbf24 } .line-2 { stroke: #34d399 } .line-3 { stroke: #c084fc }
    .name-0 { fill: #60a5fa } .name-1 { fill: #fbbf24 } .name-2 { fill: #34d399 } .name-3 { fill: #c084fc }
  }`

export function drawChart(chart: Chart): string {
  const height = HEAD + chart.panels.length * PANEL + FOOT
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">`,
    `<title>${escape(chart.title)}</title><desc>${escape(chart.subtitle)}</desc>`,
    `<style>${STYLE}\n</style>`,
    text(24, 42, chart.title, 'title'),
    text(24, 68, chart.subtitle, 'soft'),
    ...chart.panels.map((panel, index) => drawPanel(panel, chart, HEAD + index * PANEL)),
    '</svg>\n',
  ].join('\n')
}

function drawPanel(panel: Panel, chart: Chart, y: number): string {
  const lines = panel.lines.map((line) => ({ ...line, values: thin(line.values) }))
  const scale = makeScale(
    lines.flatMap(({ values }) => values),
    panel.logarithmic,
  )
  const names = spread(
    lines.map((line) => ({ line, y: scale.y(line.values.at(-1) ?? 0) })),
    LABEL_GAP,
  )
  return [
    `<g transform="translate(0 ${y})">`,
    `<rect class="card" x="16" y="0" width="${WIDTH - 32}" height="${PANEL - 14}" rx="8"/>`,
    text(32, 28, panel.heading, 'heading'),
    text(32, 46, panel.meaning, 'soft'),
    ...scale.ticks.map(
      (tick) =>
        `<path class="grid" d="M${PLOT.left} ${round(scale.y(tick))}H${PLOT.right}"/>` +
        text(PLOT.left - 8, scale.y(tick) + 4, String(tick), 'soft', 'end'),
    ),
    ...[0, 0.25, 0.5, 0.75, 1].map((share) =>
      text(
        xOf(share),
        PLOT.bottom + 20,
        countLabel(chart.xLast * share),
        'soft',
        share === 0 ? 'start' : share === 1 ? 'end' : 'middle',
      ),
    ),
    text(PLOT.right + 14, PLOT.bottom + 20, chart.xLabel, 'soft'),
    ...lines.map(({ color, values }) => `<path class="line line-${color}" d="${path(values, scale.y)}"/>`),
    ...names.map(({ line, y: at }) =>
      text(PLOT.right + 10, at + 4, `${line.name} ${shortNumber(line.values.at(-1) ?? 0)}`, `name name-${line.color}`),
    ),
    '</g>',
  ].join('\n')
}

interface Scale {
  readonly ticks: readonly number[]
  readonly y: (value: number) => number
}

function makeScale(values: readonly number[], logarithmic: boolean): Scale {
  const most = Math.max(1, ...values)
  const height = PLOT.bottom - PLOT.top
  if (logarithmic) {
    const doublings = Math.max(1, Math.ceil(Math.log2(most)))
    const step = Math.ceil(doublings / 6)
    const ticks = Array.from({ length: Math.floor(doublings / step) + 1 }, (_, index) => 2 ** (index * step))
    return { ticks, y: (value) => PLOT.bottom - (height * Math.log2(Math.max(1, value))) / doublings }
  }
  const step = [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100].find((each) => most / each <= 6) ?? most / 5
  const top = Math.ceil(most / step) * step
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, index) => index * step)
  return { ticks, y: (value) => PLOT.bottom - (height * value) / top }
}

/** Means of neighbours, so that a line has no more points than can be seen; the last value stays what it is. */
function thin(values: readonly number[]): readonly number[] {
  const size = Math.ceil(values.length / POINTS_MAX)
  if (size <= 1) return values
  const thinned: number[] = []
  for (let start = 0; start < values.length; start += size) {
    const part = values.slice(start, start + size)
    thinned.push(part.reduce((sum, value) => sum + value, 0) / part.length)
  }
  return [...thinned, values.at(-1) ?? 0]
}

function path(values: readonly number[], y: (value: number) => number): string {
  return values
    .map(
      (value, index) =>
        `${index === 0 ? 'M' : 'L'}${round(xOf(index / Math.max(1, values.length - 1)))} ${round(y(value))}`,
    )
    .join('')
}

/** Moves what is too close together apart, keeping the order. */
function spread<T extends { readonly y: number }>(items: readonly T[], gap: number): readonly T[] {
  const ordered = [...items].sort((a, b) => a.y - b.y)
  const placed: T[] = []
  let least = PLOT.top
  for (const item of ordered) {
    const y = Math.max(item.y, least)
    placed.push({ ...item, y })
    least = y + gap
  }
  const overflow = Math.max(0, (placed.at(-1)?.y ?? 0) - PLOT.bottom)
  let most = Infinity
  return placed
    .reverse()
    .map((item) => {
      const y = overflow === 0 ? item.y : Math.min(item.y, most - gap, PLOT.bottom)
      most = y
      return { ...item, y }
    })
    .reverse()
}

function xOf(share: number): number {
  return PLOT.left + (PLOT.right - PLOT.left) * share
}

function text(x: number, y: number, content: string, style: string, anchor = 'start'): string {
  return `<text x="${round(x)}" y="${round(y)}" class="${style}" text-anchor="${anchor}">${escape(content)}</text>`
}

function countLabel(count: number): string {
  if (count >= 1e6) return `${shortNumber(count / 1e6)}M`
  return count >= 1e3 ? `${shortNumber(count / 1e3)}k` : shortNumber(count)
}

function shortNumber(value: number): string {
  return value >= 100 ? value.toFixed(0) : String(Number(value.toFixed(value >= 10 ? 1 : 2)))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}
