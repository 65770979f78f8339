/** An entry as a row of CSV: two fields, text or base64; quoted where they have to be. Ends with the caller's line feed. */

import { isUtf8 } from 'node:buffer'

const QUOTED = /[",\r\n]/

export const CSV_HEADER = 'key,value'
export const CSV_HEADER_64 = 'key64,value64'

/** Undefined where key or value is not valid UTF-8: CSV has no way to say what else it is. */
export function csvLine(key: Uint8Array, value: Uint8Array): string | undefined {
  return isUtf8(key) && isUtf8(value) ? `${field(key)},${field(value)}` : undefined
}

export function csvLine64(key: Uint8Array, value: Uint8Array): string {
  return `${Buffer.from(key).toString('base64')},${Buffer.from(value).toString('base64')}`
}

function field(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
