/**
 * Reads entries from CSV: the key made of one or more columns, the value one column or the others as a JSON object.
 *
 * With a header that has `key` (or `key64`) and `value` (or `value64`), as `varve export` writes it, that is what they are.
 */

import { base64Bytes } from '../base64-bytes.ts'
import { formatNumberOf } from '../quantities.ts'
import { UsageError } from '../usage-error.ts'
import { CsvRows } from './csv-rows.ts'
import { RecordFault } from './input-error.ts'
import { fieldsOf, fillTemplate, isBuiltIn } from './key-template.ts'
import type { SourceNames, TemplatePart } from './key-template.ts'
import { columnAt } from './text-column.ts'
import type { RecordReader, TakeEntry } from './record-reader.ts'

export interface CsvOptions {
  /** One character. */
  readonly delimiter: string
  /** The first row has the names of the columns; otherwise they are called 1, 2, 3 … */
  readonly header: boolean
  /** Makes the key; undefined: from the columns `key` or `key64`. */
  readonly key: readonly TemplatePart[] | undefined
  readonly keyPrefix: readonly TemplatePart[]
  /** The column that is the value; undefined: `value` or `value64` where the key comes from `key`, else all that the key leaves. */
  readonly valueColumn: string | undefined
  readonly names: SourceNames
}

/** Once the columns are known: how a row becomes an entry. */
interface Plan {
  readonly columns: readonly string[]
  readonly key: (row: readonly string[], line: number) => Buffer
  readonly value: (row: readonly string[], line: number) => Buffer
}

export class CsvReader implements RecordReader {
  readonly #options: CsvOptions
  readonly #rows: CsvRows
  #plan: Plan | undefined

  constructor(options: CsvOptions) {
    this.#options = options
    this.#rows = new CsvRows(options.delimiter)
  }

  get line(): number {
    return this.#rows.line
  }

  read(text: string, take: TakeEntry): void {
    this.#rows.read(text, (row, line, isPlain) => this.#takeRow(row, line, isPlain, take))
  }

  end(take: TakeEntry): void {
    this.#rows.end((row, line, isPlain) => this.#takeRow(row, line, isPlain, take))
  }

  #takeRow(row: readonly string[], line: number, isPlain: boolean, take: TakeEntry): void {
    const plan = this.#plan
    if (plan === undefined) {
      const { header } = this.#options
      this.#plan = this.#planFor(header ? row : row.map((_, index) => String(index + 1)), line)
      if (!header) this.#takeRow(row, line, isPlain, take)
      return
    }
    if (row.length !== plan.columns.length) throw this.#wrongLength(row, plan.columns.length, line, isPlain)
    take(plan.key(row, line), plan.value(row, line), line)
  }

  /** @throws {UsageError} the options do not fit the columns */
  #planFor(columns: readonly string[], line: number): Plan {
    const twice = columns.find((name, index) => columns.indexOf(name) !== index)
    if (twice !== undefined) throw new RecordFault(line, undefined, `the header has two columns called '${twice}'`)
    const { key, valueColumn } = this.#options
    const used = key === undefined ? keyColumn(columns) : undefined
    if (key === undefined && used === undefined) {
      throw new UsageError(
        `${this.#options.names.path} has the columns ${shown(columns)}: say which make the key, ` +
          `such as --key-column ${columns[0]} or --key '{file}/{${columns[0]}}'`,
      )
    }
    const template = key ?? []
    const keyFields = used === undefined ? this.#columnsOf(template, columns, 'key') : [used]
    const prefixFields = this.#columnsOf(this.#options.keyPrefix, columns, 'key-prefix')
    const valueName = valueColumn ?? (used === undefined ? undefined : valueBeside(columns))
    if (valueColumn !== undefined && !columns.includes(valueColumn))
      throw this.#noColumn(valueColumn, columns, 'value-column')
    const left = columns.filter((name) => !keyFields.includes(name) && !prefixFields.includes(name))
    return {
      columns,
      key: this.#keyMaker(columns, template, used),
      value: valueName === undefined ? jsonMaker(columns, left) : columnMaker(columns, valueName, used !== undefined),
    }
  }

  /** The columns that a template takes. */
  #columnsOf(template: readonly TemplatePart[], columns: readonly string[], option: string): readonly string[] {
    const fields = fieldsOf(template, (field) => columns.includes(field))
    const unknown = fields.find((field) => !columns.includes(field))
    if (unknown !== undefined && !isBuiltIn(unknown)) throw this.#noColumn(unknown, columns, option)
    return fields
  }

  #noColumn(name: string, columns: readonly string[], option: string): UsageError {
    const role = option === 'key' ? 'of which the key is made' : `which --${option} asks for`
    return new UsageError(`${this.#options.names.path} has no column '${name}', ${role}: it has ${shown(columns)}`)
  }

  #wrongLength(row: readonly string[], count: number, line: number, isPlain: boolean): RecordFault {
    const { header, delimiter } = this.#options
    const kept = row.slice(0, count).join(delimiter)
    const found = formatNumberOf(row.length, 'field')
    const reason = `the row has ${found}, the ${header ? 'header' : 'first row'} has ${count}`
    return new RecordFault(line, isPlain ? columnAt(kept, kept.length) : undefined, reason)
  }

  #keyMaker(columns: readonly string[], key: readonly TemplatePart[], used: string | undefined): Plan['key'] {
    const { keyPrefix, names } = this.#options
    const indexes = new Map(columns.map((name, index) => [name, index]))
    const template = [...keyPrefix, ...key]
    const fill = (row: readonly string[], line: number): string =>
      fillTemplate(template, names, line, (field) => row[indexes.get(field) ?? -1]) ?? ''
    if (used === undefined) return (row, line) => Buffer.from(fill(row, line))
    const own = columnMaker(columns, used, true)
    if (template.length === 0) return own
    return (row, line) => Buffer.concat([Buffer.from(fill(row, line)), own(row, line)])
  }
}

function keyColumn(columns: readonly string[]): string | undefined {
  return ['key', 'key64'].find((name) => columns.includes(name))
}

function valueBeside(columns: readonly string[]): string | undefined {
  return columns.length === 2 ? columns.find((name) => name === 'value' || name === 'value64') : undefined
}

/** @param mayBeEncoded a name that ends with 64 stands for base64 */
function columnMaker(columns: readonly string[], name: string, mayBeEncoded: boolean): Plan['value'] {
  const index = columns.indexOf(name)
  if (!mayBeEncoded || !['key64', 'value64'].includes(name)) return (row) => Buffer.from(row[index] ?? '')
  return (row, line) => {
    const bytes = base64Bytes(row[index] ?? '')
    if (bytes === undefined) throw new RecordFault(line, undefined, `column '${name}' is not base64`)
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }
}

function jsonMaker(columns: readonly string[], names: readonly string[]): Plan['value'] {
  const members = names.map((name) => ({ index: columns.indexOf(name), name: JSON.stringify(name) }))
  return (row) =>
    Buffer.from(`{${members.map(({ index, name }) => `${name}:${JSON.stringify(row[index])}`).join(',')}}`)
}

function shown(columns: readonly string[]): string {
  return columns.map((name) => `'${name}'`).join(', ')
}
