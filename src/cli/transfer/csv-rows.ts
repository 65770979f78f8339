/**
 * Rows of CSV: fields between delimiters, rows between line feeds (with or without a carriage return before them).
 *
 *      row     = field, { delimiter, field }
 *      field   = characters without quote, delimiter and line feed
 *              | '"', { characters without quote | '""' }, '"'
 *
 * This is RFC 4180, strictly: a quote inside an unquoted field, or anything behind a closing quote, is a fault rather than
 * a guess. Empty lines are no rows. Why this is not a library: docs/decisions.
 *
 * Most rows have no quotes: those are split in one call. A row with quotes may go on in the next text, so that path keeps
 * what it has.
 */

import { MIB } from '../../kernel/limits.ts'
import { RecordFault } from './input-error.ts'
import { columnAt } from './text-column.ts'

/**
 * @param line where the row begins, from 1
 * @param isPlain no field was quoted: put together with delimiters, the fields are the line
 */
export type TakeRow = (fields: readonly string[], line: number, isPlain: boolean) => void

// An opening quote that nobody closes would take everything after it.
const ROW_LENGTH_MAX = 384 * MIB

export class CsvRows {
  /** Line of the next character, from 1. */
  line = 1
  readonly #delimiter: string
  /** Of a row with quotes that has not ended: its fields, and the text of its last one. */
  #fields: string[] | undefined
  #field = ''
  #state: 'start' | 'plain' | 'quoted' | 'closed' = 'start'
  /** Where the row, and where the quoted field, began. */
  #rowLine = 1
  #quoteLine = 1
  #quoteColumn = 1
  #rowLength = 0

  constructor(delimiter: string) {
    this.#delimiter = delimiter
  }

  /** @throws {RecordFault} */
  read(text: string, take: TakeRow): void {
    let at = 0
    let quote = text.indexOf('"')
    while (at < text.length) {
      if (this.#fields === undefined) {
        const end = text.indexOf('\n', at)
        if (quote >= 0 && quote < at) quote = text.indexOf('"', at)
        const limit = end < 0 ? text.length : end
        if (quote < 0 || quote >= limit) {
          if (end < 0) {
            // The last line of all: nothing else ends without a line feed.
            this.#startRow()
          } else {
            this.#takePlain(text.slice(at, withoutReturn(text, at, end)), take)
            this.line++
            at = end + 1
            continue
          }
        } else this.#startRow()
      }
      at = this.#readQuoted(text, at, take)
    }
  }

  /** @throws {RecordFault} */
  end(take: TakeRow): void {
    if (this.#fields === undefined) return
    if (this.#state === 'quoted') {
      throw new RecordFault(this.#quoteLine, this.#quoteColumn, 'the quote that begins here is never closed')
    }
    if (this.#state === 'plain' && this.#field.endsWith('\r')) this.#field = this.#field.slice(0, -1)
    this.#endRow(take)
  }

  #takePlain(row: string, take: TakeRow): void {
    if (row !== '') take(row.split(this.#delimiter), this.line, true)
  }

  #startRow(): void {
    this.#fields = []
    this.#field = ''
    this.#state = 'start'
    this.#rowLine = this.line
    this.#rowLength = 0
  }

  /** Goes through a row character by character, from quote to quote; returns where the row, or the text, ends. */
  #readQuoted(text: string, start: number, take: TakeRow): number {
    const column = (at: number): number => {
      const lineStart = text.lastIndexOf('\n', at - 1) + 1
      return columnAt(text.slice(lineStart), at - lineStart)
    }
    for (let at = start; at < text.length;) {
      if (this.#state === 'quoted') {
        const quote = text.indexOf('"', at)
        const limit = quote < 0 ? text.length : quote
        this.#add(text.slice(at, limit))
        this.line += countLines(text, at, limit)
        if (quote < 0) return limit
        this.#state = 'closed'
        at = quote + 1
        continue
      }
      const character = text[at] as string
      if (character === '\n') {
        if (this.#state === 'plain' && this.#field.endsWith('\r')) this.#field = this.#field.slice(0, -1)
        this.line++
        this.#endRow(take)
        return at + 1
      }
      if (character === this.#delimiter) {
        this.#endField()
        at++
      } else if (character === '"') {
        if (this.#state === 'plain')
          throw new RecordFault(this.line, column(at), 'a quote inside a field that does not begin with one')
        if (this.#state === 'closed') this.#add('"')
        else [this.#quoteLine, this.#quoteColumn] = [this.line, column(at)]
        this.#state = 'quoted'
        at++
      } else if (this.#state === 'closed') {
        if (character !== '\r' || (text[at + 1] ?? '\n') !== '\n') {
          throw new RecordFault(this.line, column(at), `'${character}' behind the closing quote of a field`)
        }
        at++
      } else {
        const limit = this.#plainLimit(text, at)
        this.#add(text.slice(at, limit))
        this.#state = 'plain'
        at = limit
      }
    }
    return text.length
  }

  /** Where the unquoted text from `at` on ends: at a delimiter, a quote or a line feed. */
  #plainLimit(text: string, at: number): number {
    for (let limit = at; limit < text.length; limit++) {
      const character = text[limit]
      if (character === this.#delimiter || character === '\n' || character === '"') return limit
    }
    return text.length
  }

  #add(text: string): void {
    this.#rowLength += text.length
    if (this.#rowLength > ROW_LENGTH_MAX) {
      const place = this.#state === 'quoted' ? 'the quote that begins here may not be closed' : 'a row of many MiB'
      throw new RecordFault(
        this.#quoteLine,
        this.#quoteColumn,
        `more than ${ROW_LENGTH_MAX / MIB} MiB in one row: ${place}`,
      )
    }
    this.#field += text
  }

  #endField(): void {
    this.#fields?.push(this.#field)
    this.#field = ''
    this.#state = 'start'
  }

  #endRow(take: TakeRow): void {
    // A line that holds nothing at all: no quotes, no delimiter.
    const isEmpty = this.#fields?.length === 0 && this.#field === '' && this.#state !== 'closed'
    this.#endField()
    const fields = this.#fields ?? []
    this.#fields = undefined
    if (!isEmpty) take(fields, this.#rowLine, false)
  }
}

function withoutReturn(text: string, start: number, end: number): number {
  return end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end
}

function countLines(text: string, start: number, limit: number): number {
  let count = 0
  for (let at = text.indexOf('\n', start); at >= 0 && at < limit; at = text.indexOf('\n', at + 1)) count++
  return count
}
