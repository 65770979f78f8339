/**
 * Columns of little-endian integers inside a byte string, as typed arrays.
 *
 * On little-endian machines a column is a view and costs nothing; elsewhere it is a converted copy.
 */

import { assert } from '../kernel/assert.ts'

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

/** `bytes` as they are when they can be viewed as columns and keep little else alive; otherwise a copy that can. */
export function alignedBytes(bytes: Uint8Array, keepsShared: boolean): Uint8Array {
  const aligned = bytes.byteOffset % 8 === 0
  if (aligned && (keepsShared || bytes.buffer.byteLength <= bytes.length + 64)) {
    // A plain view: a Buffer among them would make every access to blocks polymorphic.
    return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  }
  const copy = new Uint8Array(bytes.length)
  copy.set(bytes)
  return copy
}

export function u32Column(bytes: Uint8Array, start: number, count: number): Uint32Array {
  assert((bytes.byteOffset + start) % 4 === 0, 'column of u32 is not aligned')
  assert(start + count * 4 <= bytes.length, 'column of u32 runs past the end')
  if (LITTLE_ENDIAN) return new Uint32Array(bytes.buffer, bytes.byteOffset + start, count)
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, count * 4)
  return Uint32Array.from({ length: count }, (_, index) => view.getUint32(index * 4, true))
}

export function u64Column(bytes: Uint8Array, start: number, count: number): BigUint64Array {
  assert((bytes.byteOffset + start) % 8 === 0, 'column of u64 is not aligned')
  assert(start + count * 8 <= bytes.length, 'column of u64 runs past the end')
  if (LITTLE_ENDIAN) return new BigUint64Array(bytes.buffer, bytes.byteOffset + start, count)
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, count * 8)
  return BigUint64Array.from({ length: count }, (_, index) => view.getBigUint64(index * 8, true))
}

/** Little-endian u32 at any offset. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}
