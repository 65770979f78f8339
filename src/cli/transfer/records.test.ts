import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CSV_HEADER, CSV_HEADER_64, csvLine, csvLine64 } from './csv-line.ts'
import { CsvReader } from './csv-reader.ts'
import type { CsvOptions } from './csv-reader.ts'
import { RecordFault } from './input-error.ts'
import { jsonLine } from './json-line.ts'
import { JsonlReader } from './jsonl-reader.ts'
import { parseTemplate } from './key-template.ts'
import type { RecordReader } from './record-reader.ts'
import { UsageError } from '../usage-error.ts'

const names = { file: 'name', path: 'dir/name.csv' }

function read(reader: RecordReader, text: string): (readonly [key: string, value: string])[] {
  const entries: (readonly [string, string])[] = []
  const take = (key: Buffer, value: Buffer): void =>
    void entries.push([key.toString('latin1'), value.toString('latin1')])
  for (const line of text.split(/(?<=\n)/)) reader.read(line, take)
  reader.end(take)
  return entries
}

function jsonl(key?: string, keyPrefix = ''): JsonlReader {
  const template = key === undefined ? undefined : parseTemplate(key, 'key')
  return new JsonlReader({ key: template, keyPrefix: parseTemplate(keyPrefix, 'key-prefix'), names })
}

function csv(
  options: Partial<Omit<CsvOptions, 'key' | 'keyPrefix'>> & { key?: string; keyPrefix?: string } = {},
): CsvReader {
  const { key, keyPrefix = '', delimiter = ',', header = true, valueColumn } = options
  const template = key === undefined ? undefined : parseTemplate(key, 'key')
  return new CsvReader({
    key: template,
    keyPrefix: parseTemplate(keyPrefix, 'key-prefix'),
    delimiter,
    header,
    valueColumn,
    names,
  })
}

const text = fc.string({ unit: 'binary', maxLength: 20 }).map((string) => new Uint8Array(Buffer.from(string)))
const bytes = fc.oneof(fc.uint8Array({ maxLength: 20 }), text)
const latin1 = (each: Uint8Array): string => Buffer.from(each).toString('latin1')

test('entries of any bytes, written as JSON lines or as base64 CSV, read back the same', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(bytes, bytes)), (entries) => {
      const expected = entries.map(([key, value]) => [latin1(key), latin1(value)])
      const lines = entries.map(([key, value]) => `${jsonLine(key, value)}\n`)
      assert.deepEqual(read(jsonl(), lines.join('')), expected)
      const rows = entries.map(([key, value]) => `${csvLine64(key, value)}\n`)
      assert.deepEqual(read(csv(), `${CSV_HEADER_64}\n${rows.join('')}`), expected)
    }),
    { numRuns: 500 },
  )
})

test('entries of text, written as CSV, read back the same, and others are not written as CSV', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text)), (entries) => {
      const rows = entries.map(([key, value]) => `${csvLine(key, value)}\n`)
      const expected = entries.map(([key, value]) => [latin1(key), latin1(value)])
      assert.deepEqual(read(csv(), `${CSV_HEADER}\n${rows.join('')}`), expected)
    }),
    { numRuns: 500 },
  )
  assert.equal(csvLine(Buffer.from('a'), Uint8Array.of(0xff)), undefined)
  assert.equal(csvLine(Uint8Array.of(0xff), Buffer.from('a')), undefined)
})

test('with a template, lines of JSON become the values of keys made of their fields', () => {
  const line = '{"id": 7, "user":"ann", "text":"ünï"}'
  assert.deepEqual(read(jsonl('{user}/{id}', '{file}:'), `${line}\r\n\n${line}`), [
    ['name:ann/7', Buffer.from(line).toString('latin1')],
    ['name:ann/7', Buffer.from(line).toString('latin1')],
  ])
})

test('of CSV, the key takes its columns and the value is one column or what is left as JSON', () => {
  const rows = 'at,id,note\n1,a,"x ""y"""\n2,b,\n'
  assert.deepEqual(read(csv({ key: '{file}/{id}' }), rows), [
    ['name/a', '{"at":"1","note":"x \\"y\\""}'],
    ['name/b', '{"at":"2","note":""}'],
  ])
  assert.deepEqual(read(csv({ key: '{id}@{line}', valueColumn: 'note' }), rows), [
    ['a@2', 'x "y"'],
    ['b@3', ''],
  ])
  assert.deepEqual(read(csv({ key: '{1}', header: false, delimiter: ';', valueColumn: '2' }), 'a;b\nc;d'), [
    ['a', 'b'],
    ['c', 'd'],
  ])
  assert.deepEqual(read(csv({ keyPrefix: '{file}/' }), 'key,name,age\nk,n,3\n'), [['name/k', '{"name":"n","age":"3"}']])
})

test('lines that are no entries are refused at their line, with what is wrong', () => {
  for (const [reader, input, line, column, reason] of [
    [jsonl(), '{"key":"a","value":"b"}\n{"key":"ü", x}\n', 2, 13, /not JSON: 'x' cannot be here/],
    [jsonl(), '{"key":"a"', 1, 11, /ends too early/],
    [jsonl(), '[1]\n', 1, 1, /not an object/],
    [jsonl(), '{"key":"a"}\n', 1, undefined, /no field 'value' \(nor 'value64'\)/],
    [jsonl(), '{"key":"a","key64":"YQ==","value":""}\n', 1, undefined, /are both there/],
    [jsonl(), '{"key":"a","value":1}\n', 1, undefined, /'value' is not a string; to store JSON/],
    [jsonl(), '{"key":"a","value64":"YQ"}\n', 1, undefined, /'value64' is not base64/],
    [jsonl(), '{"key":"a","value":"","ttl":3}\n', 1, undefined, /'ttl' is not known/],
    [jsonl(), '{"key":"a","value":"\\ud800"}\n', 1, undefined, /lone surrogate/],
    [jsonl('{id}'), '{"id":"1"}\n{"no":1}\n', 2, undefined, /no field 'id', of which the key is made/],
    [jsonl('{id}'), '{"id":1.5}\n', 1, undefined, /neither a string nor a whole number/],
    [csv(), 'key,value\na,b\nc,d,e\n', 3, 4, /the row has 3 fields, the header has 2/],
    [csv(), 'key,value\na\n', 2, 2, /the row has 1 field, the header has 2/],
    [csv(), 'key,value\n"a","b",c\n', 2, undefined, /3 fields/],
    [csv(), 'key64,value64\nYQ==,YQ\n', 2, undefined, /column 'value64' is not base64/],
    [csv(), 'key,key\n', 1, undefined, /two columns called 'key'/],
  ] as const) {
    assert.throws(
      () => read(reader, input),
      (error) => {
        assert.ok(error instanceof RecordFault, `${input}: ${String(error)}`)
        assert.deepEqual([error.line, error.column], [line, column], input)
        assert.match(error.message, reason)
        return true
      },
    )
  }
})

test('options that do not fit the columns are a matter of the command line', () => {
  for (const [options, reason] of [
    [{}, /has the columns 'at', 'v': say which make the key, such as --key-column at/],
    [{ key: '{nope}' }, /no column 'nope', of which the key is made: it has 'at', 'v'/],
    [{ key: '{at}', valueColumn: 'nope' }, /no column 'nope', which --value-column asks for/],
    [{ key: '{at}', keyPrefix: '{nope}/' }, /no column 'nope', which --key-prefix asks for/],
  ] as const) {
    assert.throws(
      () => read(csv(options), 'at,v\n1,2\n'),
      (error) => error instanceof UsageError && reason.test(error.message),
    )
  }
})
