import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldsOf, fillTemplate, parseTemplate } from './key-template.ts'

const names = { file: 'tweets', path: 'data/tweets.csv' }

test('names in braces are fields first and the names of the input otherwise, doubled braces are braces', () => {
  const fields: Readonly<Record<string, string>> = { id: '7', line: 'of the record' }
  for (const [template, expected] of [
    ['{file}/{id}', 'tweets/7'],
    ['{path}#{id}', 'data/tweets.csv#7'],
    ['{line}', 'of the record'],
    ['{{{id}}}', '{7}'],
    ['', ''],
    ['{nope}', undefined],
  ] as const) {
    assert.equal(
      fillTemplate(parseTemplate(template, 'key'), names, 3, (field) => fields[field]),
      expected,
      template,
    )
  }
  assert.equal(
    fillTemplate(parseTemplate('{line}', 'key'), names, 3, () => undefined),
    '3',
  )
})

test('a single brace is refused rather than taken for text', () => {
  for (const template of ['{file', 'file}', '{}', '{a{b}}', 'x{{y}'])
    assert.throws(() => parseTemplate(template, 'key'), /--key .* single/, template)
})

test('a template tells which fields it takes from a record', () => {
  const template = parseTemplate('{file}/{a}/{line}/{b}', 'key')
  assert.deepEqual(
    fieldsOf(template, (field) => field === 'a' || field === 'line'),
    ['a', 'line', 'b'],
  )
})
