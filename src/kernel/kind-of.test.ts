import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kindOf } from './kind-of.ts'

test('a value that is not what it should be is called by its kind, and its content is not told', () => {
  for (const [value, kind] of [
    [undefined, 'undefined'],
    [null, 'null'],
    [NaN, 'NaN'],
    [7, 'number'],
    ['secret', 'string'],
    [{ key: 'secret' }, 'object'],
    [Object.create(null), 'object'],
    [[1], 'Array'],
    [new ArrayBuffer(1), 'ArrayBuffer'],
    [new Uint16Array(1), 'Uint16Array'],
    [new URL('file:///secret'), 'URL'],
    [() => 7, 'function'],
  ] as const)
    assert.equal(kindOf(value), kind)
})
