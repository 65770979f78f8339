import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shorten, showKey } from './key-text.ts'

test('text is shown as it is, and what has no certain width or could steer a terminal is escaped', () => {
  assert.equal(showKey(Buffer.from('f/a b/ä.txt')), 'f/a b/ä.txt')
  assert.equal(showKey(Buffer.from('日\u001b[2J')), '\\u{65e5}\\u{1b}[2J')
  assert.equal(showKey(Buffer.from('e\u0301')), 'e\\u{301}')
  assert.equal(showKey(Buffer.alloc(0)), "''")
})

test('bytes that are not UTF-8 are shown in hexadecimal', () => {
  assert.equal(showKey(Buffer.from([0xff, 0x00, 0x61])), '0xff0061')
})

test('a text that is too long keeps both ends and has exactly the width asked for', () => {
  assert.equal(shorten('abcdef', 6), 'abcdef')
  assert.equal(shorten('abcdefgh', 6), 'abc…gh')
  assert.equal(shorten('abcdefgh', 2), 'a…')
  for (const width of [0, 1, 2, 3, 7]) assert.equal(shorten('abcdefgh', width).length, width)
})
