/** Pieces of a chart. One palette, one type, much white. */

export const INK = '#1f2933'
export const FAINT = '#7b8794'
export const RULE = '#e4e7eb'
export const PAPER = '#ffffff'
/** varve in its strongest colour, its compositions warm too, everyone else cool and apart. */
const COLOURS: Readonly<Record<string, string>> = Object.freeze({
  varve: '#c2410c',
  'varve-js': '#ea7b3f',
  'varve-raw': '#d99a2b',
  'varve-inline': '#b5838d',
  'varve-memory': '#e5a4a4',
  'classic-level': '#2563a8',
  rocksdb: '#3d8f8a',
  lmdb: '#6b5aa8',
  'better-sqlite3': '#8c96a3',
  slatedb: '#b7a04a',
  db_bench: '#c3ccd5',
})
const UNKNOWN = '#52606d'

export function colourOf(peer: string): string {
  return COLOURS[peer] ?? UNKNOWN
}

export interface TextStyle {
  readonly size?: number
  readonly colour?: string
  readonly bold?: boolean
  readonly anchor?: 'start' | 'middle' | 'end'
}

export function text(x: number, y: number, content: string, style: TextStyle = {}): string {
  const { size = 12, colour = INK, bold = false, anchor = 'start' } = style
  const weight = bold ? ' font-weight="600"' : ''
  return `<text x="${fixed(x)}" y="${fixed(y)}" font-size="${size}" fill="${colour}" text-anchor="${anchor}"${weight}>${escaped(content)}</text>`
}

export function bar(x: number, y: number, width: number, height: number, colour: string): string {
  return `<rect x="${fixed(x)}" y="${fixed(y)}" width="${fixed(Math.max(1, width))}" height="${fixed(height)}" rx="2" fill="${colour}"/>`
}

export function line(x1: number, y1: number, x2: number, y2: number, colour: string = RULE): string {
  return `<line x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}" stroke="${colour}"/>`
}

export function curve(points: readonly (readonly [number, number])[], colour: string, strong: boolean): string {
  const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${fixed(x)} ${fixed(y)}`).join('')
  const dots = points.map(
    ([x, y]) => `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="${strong ? 3.5 : 2.5}" fill="${colour}"/>`,
  )
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="${strong ? 2.5 : 1.5}" stroke-linejoin="round"/>${dots.join('')}`
}

export function picture(width: number, height: number, content: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Inter, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif">
<rect width="${width}" height="${height}" fill="${PAPER}"/>
${content.join('\n')}
</svg>
`
}

/** Squares and names of peers in a row. */
export function legend(x: number, y: number, peers: readonly string[]): string {
  let at = x
  return peers
    .map((peer) => {
      const piece = bar(at, y - 10, 12, 12, colourOf(peer)) + text(at + 18, y, peer, { bold: peer === 'varve' })
      at += 34 + peer.length * 7.2
      return piece
    })
    .join('')
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10)
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
