/** Keys as db_bench makes them: 16 bytes, the index as 8 bytes big endian, padded with the digit 0. */

import { mix } from './random.ts'

export const KEY_BYTES = 16

const PADDING = 0x30
/** Ends a key that nobody wrote, right behind the one of the same index. */
const PADDING_MISSING = 0x31

export function writeKey(index: number, target: Buffer): void {
  writeIndex(index, target)
  target.fill(PADDING, 8)
}

export function writeMissingKey(index: number, target: Buffer): void {
  writeKey(index, target)
  target[KEY_BYTES - 1] = PADDING_MISSING
}

export function makeKey(index: number): Buffer {
  const key = Buffer.alloc(KEY_BYTES)
  writeKey(index, key)
  return key
}

/** Fingerprint of a key that was read. */
export function keyFingerprint(key: Uint8Array): number {
  const word = ((key[4] as number) << 24) | ((key[5] as number) << 16) | ((key[6] as number) << 8) | (key[7] as number)
  return mix(word + Math.imul(key.length, 0x9e3779b1) + (key[KEY_BYTES - 1] as number))
}

export function expectedKeyFingerprint(index: number): number {
  return mix(index + Math.imul(KEY_BYTES, 0x9e3779b1) + PADDING)
}

function writeIndex(index: number, target: Buffer): void {
  target.writeUInt32BE(Math.floor(index / 0x1_0000_0000), 0)
  target.writeUInt32BE(index >>> 0, 4)
}
