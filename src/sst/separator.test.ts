import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareBytes } from '../kernel/bytes.ts'
import { shortSeparator } from './separator.ts'

const key = fc.array(fc.constantFrom(0, 1, 0x61, 0xfe, 0xff), { maxLength: 6 }).map((list) => Uint8Array.from(list))

test('a separator is at or after the last key, before the next one, and never longer than the last', () => {
  fc.assert(
    fc.property(key, key, (a, b) => {
      const [last, next] = compareBytes(a, b) <= 0 ? [a, b] : [b, a]
      const separator = shortSeparator(last, next)
      assert.ok(compareBytes(last, separator) <= 0)
      assert.ok(separator.length <= last.length)
      if (compareBytes(last, next) < 0) assert.ok(compareBytes(separator, next) < 0)
      else assert.equal(separator, last)
    }),
    { numRuns: 1000 },
  )
})

test('distant keys are told apart by what they differ in', () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
  const separate = (last: string, next: string): string =>
    new TextDecoder().decode(shortSeparator(bytes(last), bytes(next)))
  assert.equal(separate('user:alice:profile', 'user:dave:profile'), 'user:b')
  assert.equal(separate('user:1999', 'user:2'), 'user:1:')
  assert.equal(separate('abc', 'abcdef'), 'abc')
})
