/** Columns of text: as wide as their widest cell, two spaces apart. */

export interface Column {
  readonly title: string
  /** Default left. Numbers stand on the right, so that their digits line up. */
  readonly align?: 'left' | 'right'
}

const GAP = '  '

/** Lines: titles, a rule, rows. Cells beyond the columns are an error of the caller; missing ones are empty. */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...rows.map((row) => (row[index] ?? '').length)),
  )
  const render = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => {
        const cell = cells[index] ?? ''
        const width = widths[index] ?? 0
        return align === 'right' ? cell.padStart(width) : cell.padEnd(width)
      })
      .join(GAP)
      .trimEnd()
  return [
    render(columns.map(({ title }) => title)),
    widths.map((width) => '─'.repeat(width)).join(GAP),
    ...rows.map(render),
  ]
}

/** Pairs without titles: names on the left, values lined up behind them. */
export function renderPairs(
  pairs: readonly (readonly [name: string, value: string, remark?: string])[],
): readonly string[] {
  const nameWidth = Math.max(0, ...pairs.map(([name]) => name.length))
  const valueWidth = Math.max(0, ...pairs.map(([, value]) => value.length))
  return pairs.map(([name, value, remark]) =>
    `${name.padEnd(nameWidth)}${GAP}${value.padStart(valueWidth)}${remark === undefined ? '' : GAP + remark}`.trimEnd(),
  )
}
