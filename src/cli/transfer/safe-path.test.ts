import assert from 'node:assert/strict'
import { posix } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { PathConflicts, pathFault } from './safe-path.ts'

const key = fc
  .array(fc.constantFrom('a', 'b', '.', '..', '/', '//', '\0', '-', 'ü'), { maxLength: 8 })
  .map((parts) => parts.join(''))

test('a key without fault is a path that stays where it is put', () => {
  fc.assert(
    fc.property(key, (text) => {
      if (pathFault(Buffer.from(text), false) !== undefined) return
      assert.equal(posix.relative('/folder', posix.join('/folder', text)), text)
      assert.ok(!text.startsWith('..') || !/^\.\.(\/|$)/.test(text))
    }),
    { numRuns: 2000 },
  )
})

test('keys that lead elsewhere, or are no names, say why', () => {
  for (const [text, reason] of [
    ['', /empty/],
    ['/etc/passwd', /begins with/],
    ['a/../../b', /name \.\./],
    ['./a', /name \./],
    ['a//b', /two in a row/],
    ['a/', /ends with/],
    ['a\0b', /zero byte/],
    ['x'.repeat(256), /longer than 255/],
    ['a/'.repeat(2000) + 'b', /longer than 3500/],
  ] as const) {
    assert.match(pathFault(Buffer.from(text), false) ?? '', reason, text.slice(0, 20))
  }
  assert.equal(pathFault(Buffer.from('a\\..\\b'), false), undefined)
  assert.match(pathFault(Buffer.from('a\\..\\b'), true) ?? '', /cannot have here/)
})

test('a key that is a directory of another is found, whatever lies between them', () => {
  fc.assert(
    fc.property(fc.uniqueArray(key), (keys) => {
      const sorted = keys.map((text) => Buffer.from(text)).sort((a, b) => Buffer.compare(a, b))
      const conflicts = new PathConflicts()
      for (const each of sorted) {
        const found = conflicts.add(each)
        const expected = sorted.some((other) => each.toString('latin1').startsWith(`${other.toString('latin1')}/`))
        assert.equal(found !== undefined, expected, each.toString())
      }
    }),
    { numRuns: 1000 },
  )
})
