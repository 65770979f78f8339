import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { escapeBytes } from './escaped-text.ts'

/** What the comment of escaped-text.ts says, read backwards. */
function unescape(text: string): Buffer {
  const named: Readonly<Record<string, string>> = { '\\': '\\', t: '\t', n: '\n', r: '\r' }
  const parts = [...text.matchAll(/\\x([0-9a-f]{2})|\\([\\tnr])|[^\\]+/g)].map(([whole, hex, name]) =>
    hex !== undefined ? Buffer.from(hex, 'hex') : Buffer.from(name === undefined ? whole : (named[name] ?? '')),
  )
  return Buffer.concat(parts)
}

test('any bytes can be told from their text, which is one line without tabs or control characters', () => {
  const text = fc.string({ unit: 'binary' }).map((string) => new Uint8Array(Buffer.from(string)))
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array(), text), (bytes) => {
      const escaped = escapeBytes(bytes)
      assert.doesNotMatch(escaped, /\p{Cc}|\u2028|\u2029/u)
      assert.deepEqual(unescape(escaped), Buffer.from(bytes))
    }),
    { numRuns: 1000 },
  )
})

test('what is printed stands for itself, around what is not', () => {
  assert.equal(escapeBytes(Buffer.from('Zürich 🪨')), 'Zürich 🪨')
  assert.equal(escapeBytes(Buffer.from('a\tb\nc\\d\x1b[1m\u202e')), 'a\\tb\\nc\\\\d\\x1b[1m\\xe2\\x80\\xae')
  assert.equal(escapeBytes(Buffer.from('caf\xe9 \xc3\xa9', 'latin1')), 'caf\\xe9 é')
  assert.equal(escapeBytes(new Uint8Array(0)), '')
})
