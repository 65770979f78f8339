/**
 * Unsigned integers in seven-bit groups, least significant first (LEB128).
 *
 * Readers return the value and leave the next offset in `cursor.at`, so that decoding allocates nothing. A varint that
 * runs past the limit, or is longer than its value needs room for, is reported as −1 by the reader: the caller knows
 * which file and offset to name.
 */

/** Bytes that `value` takes. 0 … 2^53 − 1. */
export function varintLength(value: number): number {
  let length = 1
  while (value >= 0x80) {
    value = Math.floor(value / 0x80)
    length++
  }
  return length
}

/** Writes `value` (0 … 2^53 − 1) and returns the offset after it. The caller has made room: at most 8 bytes. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  while (value >= 0x8000_0000) {
    bytes[at++] = (value % 0x80) | 0x80
    value = Math.floor(value / 0x80)
  }
  while (value >= 0x80) {
    bytes[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  bytes[at++] = value
  return at
}

/** Where a reader stands. Reused, so that decoding allocates nothing. */
export interface VarintCursor {
  at: number
}

/** Value at `cursor.at` below `limit`, or −1 where the bytes are no varint of at most 53 bits. Advances the cursor. */
export function readVarint(bytes: Uint8Array, cursor: VarintCursor, limit: number): number {
  let at = cursor.at
  if (at < limit) {
    const first = bytes[at] as number
    if (first < 0x80) {
      cursor.at = at + 1
      return first
    }
  }
  let value = 0
  let scale = 1
  for (let length = 0; length < 8; length++) {
    if (at >= limit) return -1
    const byte = bytes[at++] as number
    value += (byte & 0x7f) * scale
    if (byte < 0x80) {
      cursor.at = at
      return Number.isSafeInteger(value) ? value : -1
    }
    scale *= 0x80
  }
  return -1
}
