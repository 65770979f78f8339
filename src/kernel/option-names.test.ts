import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkOptionNames } from './option-names.ts'

test('an option that nobody knows is named, with those there are; one that is undefined is not given', () => {
  const known = { limit: true, reverse: true } as const
  const wrong = { name: 'TypeError', message: 'unknown option limitt: there are limit, reverse' }
  assert.throws(() => checkOptionNames({ limit: 1, limitt: 2 }, known), wrong)
  assert.throws(() => checkOptionNames({ toString: 1 }, known), /unknown option toString/)
  assert.throws(() => checkOptionNames(Object.create({ limitt: 2 }), known), wrong)
  for (const options of [{}, { limit: 1 }, { limitt: undefined }, Object.create(null)]) checkOptionNames(options, known)
  for (const [options, got] of [
    [null, 'null'],
    [5, 'number'],
    ['synced', 'string'],
    [[], 'Array'],
    [new Date(0), 'Date'],
    [new Uint8Array(0), 'Uint8Array'],
    [new Map(), 'Map'],
  ] as const)
    assert.throws(() => checkOptionNames(options, known), {
      name: 'TypeError',
      message: `options must be an object, got ${got}`,
    })
})
