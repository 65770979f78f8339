import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CsvRows } from './csv-rows.ts'
import { RecordFault } from './input-error.ts'

interface Row {
  readonly fields: readonly string[]
  readonly line: number
}

/** @param cuts where the text is divided, which is at ends of lines when it comes from textBlocks */
function rowsOf(text: string, options: { readonly delimiter?: string; readonly byLine?: boolean } = {}): Row[] {
  const rows: Row[] = []
  const reader = new CsvRows(options.delimiter ?? ',')
  const take = (fields: readonly string[], line: number): void => void rows.push({ fields, line })
  for (const piece of options.byLine === true ? text.split(/(?<=\n)/) : [text]) reader.read(piece, take)
  reader.end(take)
  return rows
}

const fieldsOf = (text: string): readonly (readonly string[])[] => rowsOf(text).map(({ fields }) => fields)

const field = fc.array(fc.constantFrom('a', 'é', '"', ',', ';', '\n', '\r\n', '\r', ' ', '🪨'), { maxLength: 6 })
const rows = fc.array(
  fc.array(
    field.map((characters) => characters.join('')),
    { minLength: 1, maxLength: 4 },
  ),
)

test('rows that any writer quotes as RFC 4180 asks read back, whatever is in them', () => {
  const end = fc.constantFrom('\n', '\r\n')
  fc.assert(
    fc.property(
      rows,
      fc.constantFrom(',', ';', '\t'),
      end,
      fc.boolean(),
      fc.infiniteStream(fc.boolean()),
      (all, delimiter, ending, endsWithBreak, quotes) => {
        const line = (row: readonly string[]): string =>
          row
            .map((value) => {
              const mustQuote = /["\r\n]/.test(value) || value.includes(delimiter) || (row.length === 1 && value === '')
              return mustQuote || quotes.next().value === true ? `"${value.replaceAll('"', '""')}"` : value
            })
            .join(delimiter)
        const text = all.map(line).join(ending) + (endsWithBreak && all.length > 0 ? ending : '')
        for (const byLine of [false, true]) {
          const found = rowsOf(text, { delimiter, byLine })
          assert.deepEqual(
            found.map(({ fields }) => fields),
            all,
          )
          const starts = all.map(
            (_, index) =>
              1 + (all.slice(0, index).map(line).join(ending) + (index > 0 ? ending : '')).split('\n').length - 1,
          )
          assert.deepEqual(
            found.map(({ line: number }) => number),
            starts,
          )
        }
      },
    ),
    { numRuns: 1000 },
  )
})

test('fields are taken as they stand: spaces stay, empty ones count, empty lines do not', () => {
  assert.deepEqual(fieldsOf('a, b ,c\n\n1,,\r\n\r\n,,3'), [
    ['a', ' b ', 'c'],
    ['1', '', ''],
    ['', '', '3'],
  ])
  assert.deepEqual(fieldsOf('""\n'), [['']])
  assert.deepEqual(fieldsOf(''), [])
  assert.deepEqual(fieldsOf('a\rb\n'), [['a\rb']])
})

test('what is not CSV is refused at its line and column', () => {
  for (const [text, line, column, reason] of [
    ['a,b\n1,"2"x\n', 2, 6, /behind the closing quote/],
    ['a,b\né,2"\n', 2, 4, /quote inside a field/],
    ['a,b\n"x\ny",2\n"é,"\n1,"2\n3\n', 5, 3, /never closed/],
    ['a,b\n1,"2" \n', 2, 6, /behind the closing quote/],
  ] as const) {
    for (const byLine of [false, true]) {
      assert.throws(
        () => rowsOf(text, { byLine }),
        (error) => {
          assert.ok(error instanceof RecordFault)
          assert.deepEqual([error.line, error.column], [line, column], text)
          assert.match(error.message, reason)
          return true
        },
      )
    }
  }
})

test('rows before a fault are taken', () => {
  const taken: (readonly string[])[] = []
  const reader = new CsvRows(',')
  assert.throws(() => reader.read('1,2\n"3",4\n5,"6"7\n8,9\n', (fields) => taken.push(fields)), RecordFault)
  assert.deepEqual(taken, [
    ['1', '2'],
    ['3', '4'],
  ])
})
