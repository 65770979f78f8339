/**
 * The tree of levels, drawn with text: a row for each level, a box for each table, as wide as its share of the largest
 * level's bytes; inside the size, the first key on the left and the last on the right.
 *
 *      L1  2 tables, 41.2 MB
 *          ┌──────────────────────────────┐┌─────────────┐
 *          │ 28.9 MB                      ││ 12.3 MB     │
 *          │ f/.bin/acorn                 ││ f/prettier… │
 *          │               f/oxlint/a.js  ││ …/zod/x.ts  │
 *          └──────────────────────────────┘└─────────────┘
 *
 * A box has a least width, so small ones are wider than their share. Where a level has more tables than fit, neighbours
 * share a box that says how many they are.
 */

import { showKey, shorten } from './key-text.ts'
import { formatBytes, formatNumberOf } from './quantities.ts'

export interface DrawnTable {
  readonly bytes: number
  readonly keyFirst: Uint8Array
  readonly keyLast: Uint8Array
}

interface Box {
  readonly bytes: number
  readonly tables: number
  /** Shown as they are; empty where tables that share a box overlap. */
  readonly first: string
  readonly last: string
}

const INDENT = '    '
// Borders and padding take 4; what is left holds a size such as `12.3 MB`.
const BOX_COLUMNS_MIN = 13

/**
 * Lines at most `columns` wide.
 *
 * @param levels level 0 first, newest table first; deeper levels in key order
 */
export function drawLevels(levels: readonly (readonly DrawnTable[])[], columns: number): readonly string[] {
  const room = Math.max(BOX_COLUMNS_MIN, columns - INDENT.length)
  const levelBytesMax = Math.max(1, ...levels.map(bytesOf))
  return levels.flatMap((tables, level) => {
    const title = `L${level}`.padEnd(INDENT.length)
    if (tables.length === 0) return emptyRow(levels, level)
    const remark = level === 0 && tables.length > 1 ? ', newest first; they may overlap' : ''
    const boxes = group(tables, Math.floor(room / BOX_COLUMNS_MIN), level > 0)
    const widths = widthsOf(boxes, Math.round((room * bytesOf(tables)) / levelBytesMax))
    return [
      `${title}${formatNumberOf(tables.length, 'table')}, ${formatBytes(bytesOf(tables))}${remark}`,
      ...drawBoxes(boxes, widths).map((line) => INDENT + line),
    ]
  })
}

/** One row for empty levels that follow each other: tiered compaction leaves many between those in use. */
function emptyRow(levels: readonly (readonly DrawnTable[])[], level: number): readonly string[] {
  const isEmpty = (index: number): boolean => levels[index]?.length === 0
  if (isEmpty(level - 1)) return []
  let last = level
  while (isEmpty(last + 1)) last++
  return [last === level ? `${`L${level}`.padEnd(INDENT.length)}empty` : `L${level} to L${last}  empty`]
}

/** At most `countMax` boxes; neighbours are put together so that boxes have about the same bytes. */
function group(tables: readonly DrawnTable[], countMax: number, sorted: boolean): readonly Box[] {
  if (tables.length <= countMax) return tables.map((table) => toBox([table], sorted))
  const groups: DrawnTable[][] = []
  const bytesAll = Math.max(1, bytesOf(tables))
  let bytesBefore = 0
  let slotBefore = -1
  for (const table of tables) {
    const slot = Math.min(countMax - 1, Math.floor((countMax * bytesBefore) / bytesAll))
    if (slot === slotBefore) groups.at(-1)?.push(table)
    else groups.push([table])
    slotBefore = slot
    bytesBefore += table.bytes
  }
  return groups.map((neighbours) => toBox(neighbours, sorted))
}

function toBox(tables: readonly DrawnTable[], sorted: boolean): Box {
  const first = tables[0]
  const last = tables.at(-1)
  const known = first !== undefined && last !== undefined && (sorted || tables.length === 1)
  return {
    bytes: bytesOf(tables),
    tables: tables.length,
    first: known ? showKey(first.keyFirst) : '',
    last: known ? showKey(last.keyLast) : '',
  }
}

/** Every box its least width, and of what is left of `columns` its share. */
function widthsOf(boxes: readonly Box[], columns: number): readonly number[] {
  const bytesAll = Math.max(1, bytesOf(boxes))
  const spare = Math.max(0, columns - boxes.length * BOX_COLUMNS_MIN)
  return boxes.map(({ bytes }) => BOX_COLUMNS_MIN + Math.floor((spare * bytes) / bytesAll))
}

function drawBoxes(boxes: readonly Box[], widths: readonly number[]): readonly string[] {
  const row = (draw: (box: Box, inner: number) => string): string =>
    boxes.map((box, index) => draw(box, (widths[index] ?? BOX_COLUMNS_MIN) - 4)).join('')
  const counted = boxes.some(({ tables }) => tables > 1)
  return [
    row((_, inner) => `┌${'─'.repeat(inner + 2)}┐`),
    row(({ bytes }, inner) => `│ ${formatBytes(bytes).padEnd(inner)} │`),
    ...(counted ? [row(({ tables }, inner) => `│ ${formatNumberOf(tables, 'table').padEnd(inner)} │`)] : []),
    row(({ first }, inner) => `│ ${shorten(first, inner).padEnd(inner)} │`),
    row(({ last }, inner) => `│ ${shorten(last, inner).padStart(inner)} │`),
    row((_, inner) => `└${'─'.repeat(inner + 2)}┘`),
  ]
}

function bytesOf(tables: readonly { readonly bytes: number }[]): number {
  return tables.reduce((sum, table) => sum + table.bytes, 0)
}
