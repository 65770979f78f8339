/** Finding characters in bytes that are not all UTF-8. */

import { isUtf8 } from 'node:buffer'

/** Bytes of the valid character at `at`; 0 where there is none. */
export function utf8CharacterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0
}
