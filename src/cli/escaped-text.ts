/**
 * Bytes as text in one line, so that the bytes can be told from it.
 *
 *      \\ \t \n \r     backslash, tab, line feed, carriage return
 *      \x00 … \xff    a byte of what is not valid UTF-8, or of a character that is not printed
 *
 * Everything else stands for itself, in UTF-8. Compare key-text.ts, which also keeps drawings straight.
 */

import { isUtf8 } from 'node:buffer'
import { utf8CharacterLength } from './utf8-character.ts'

// Controls, formats such as those that change the direction of writing, separators of lines, private and unassigned.
const NOT_PRINTED = /[\\\p{C}\p{Zl}\p{Zp}]/u
const EACH_NOT_PRINTED = new RegExp(NOT_PRINTED.source, 'gu')
const NAMED = new Map([
  ['\\', '\\\\'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\r', '\\r'],
])

export function escapeBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (!isUtf8(bytes)) return escapeMixed(buffer)
  const text = buffer.toString()
  return NOT_PRINTED.test(text) ? escapeText(text) : text
}

function escapeText(text: string): string {
  return text.replace(EACH_NOT_PRINTED, (character) => NAMED.get(character) ?? hexEscapes(Buffer.from(character)))
}

/** Keeps every run of bytes that is valid UTF-8. */
function escapeMixed(bytes: Buffer): string {
  let escaped = ''
  for (let at = 0; at < bytes.length;) {
    const length = utf8CharacterLength(bytes, at)
    escaped +=
      length === 0 ? hexEscapes(bytes.subarray(at, at + 1)) : escapeText(bytes.toString('utf8', at, at + length))
    at += Math.max(1, length)
  }
  return escaped
}

function hexEscapes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
}
