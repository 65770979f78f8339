/**
 * An entry as a line of JSON:
 *
 *      {"key":"some text","value":"some text"}
 *      {"key64":"//8=","value64":"AAEC"}
 *
 * Bytes that are valid UTF-8 are text, others base64, so every entry survives, byte for byte. So are texts of more than
 * 16 MiB: each of their characters may take six in JSON, and a line has to fit into a string.
 */

import { isUtf8 } from 'node:buffer'
import { MIB } from '../../kernel/limits.ts'

const TEXT_BYTES_MAX = 16 * MIB

/** @param value undefined: left out */
export function jsonLine(key: Uint8Array, value: Uint8Array | undefined): string {
  return value === undefined ? `{${member('key', key)}}` : `{${member('key', key)},${member('value', value)}}`
}

function member(name: string, bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (bytes.length <= TEXT_BYTES_MAX && isUtf8(bytes)) return `"${name}":${JSON.stringify(buffer.toString())}`
  return `"${name}64":"${buffer.toString('base64')}"`
}
