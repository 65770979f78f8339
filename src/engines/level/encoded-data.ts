/**
 * Keys and values as abstract-level hands them over: already encoded, as strings or bytes.
 *
 * Both are declared as native, so that text is converted once, here, and bytes not at all.
 */

import { copyOf } from '../../kernel/bytes.ts'

/** `utf8` is a string; a `buffer` is also a `view`, so both are answered alike. */
export type DataFormat = 'utf8' | 'buffer' | 'view'
export type EncodedData = string | Uint8Array

export function toBytes(data: EncodedData): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : data
}

/** `data` in memory that the caller cannot change. */
export function toOwn(data: EncodedData): EncodedData {
  return typeof data === 'string' ? data : copyOf(data, 0, data.length)
}

/** @param bytes becomes the result's memory */
export function fromBytes(bytes: Uint8Array, format: DataFormat): EncodedData {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return format === 'utf8' ? buffer.toString('utf8') : buffer
}
