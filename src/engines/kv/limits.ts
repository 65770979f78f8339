/** What the key-value engine accepts. */

import { isBytes } from '../../kernel/bytes.ts'
import { VarveError } from '../../kernel/errors.ts'
import { kindOf } from '../../kernel/kind-of.ts'
import { KIB, LIMITS, MIB } from '../../kernel/limits.ts'

/** What is larger is refused with LIMIT_EXCEEDED; nothing is written then. */
export const KV_LIMITS = Object.freeze({
  /** Of one key, in bytes. */
  keyBytesMax: 64 * KIB,
  /** Of one value, in bytes. */
  valueBytesMax: 256 * MIB,
  /** Keys and values of one batch; leaves room in a journal batch for what frames them. */
  batchBytesMax: LIMITS.batchBytesMax - 64 * MIB,
  /** Operations of one batch. */
  operationsMax: 1_000_000,
})

/** @throws {TypeError} not bytes; {VarveError} LIMIT_EXCEEDED */
export function checkKey(key: Uint8Array): void {
  if (!isBytes(key)) throw new TypeError(`key must be a Uint8Array, got ${kindOf(key)}`)
  if (key.length === 0) checkAttached('key', key)
  if (key.length > KV_LIMITS.keyBytesMax) throw tooLong('key', key.length, KV_LIMITS.keyBytesMax)
}

/** @throws {TypeError} no array, or not bytes; {VarveError} LIMIT_EXCEEDED */
export function checkKeys(keys: readonly Uint8Array[]): void {
  if (!Array.isArray(keys)) throw new TypeError(`keys must be an array, got ${kindOf(keys)}`)
  for (const key of keys) checkKey(key)
}

/** @throws {TypeError} not bytes; {VarveError} LIMIT_EXCEEDED */
export function checkValue(value: Uint8Array): void {
  if (!isBytes(value)) throw new TypeError(`value must be a Uint8Array, got ${kindOf(value)}`)
  if (value.length === 0) checkAttached('value', value)
  if (value.length > KV_LIMITS.valueBytesMax) throw tooLong('value', value.length, KV_LIMITS.valueBytesMax)
}

/** Bytes whose buffer was transferred or has shrunk look empty, and are not. @throws {TypeError} they are such */
function checkAttached(what: string, bytes: Uint8Array): void {
  try {
    bytes.at(0)
  } catch {
    throw new TypeError(`${what} is lost: its buffer was transferred or resized`)
  }
}

/** A part of an entry would be asked for until there is one. @throws {RangeError} neither whole nor Infinity */
export function checkWhole(name: string, count: number): void {
  if (!Number.isInteger(count) && count !== Infinity)
    throw new RangeError(`${name} must be a whole number or Infinity, got ${String(count)}`)
}

export function tooLong(what: string, size: number, limit: number): VarveError {
  return new VarveError('LIMIT_EXCEEDED', `${what} of ${size} is over the limit of ${limit}`, {
    details: { what, size, limit },
  })
}
