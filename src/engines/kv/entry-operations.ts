/** From operations as callers give them to what memtable and journal take. */

import type { Durability } from '../../journal/journal.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import { lowerCut, upperCut } from '../../kernel/key-cut.ts'
import type { KeyOrder } from '../../kernel/key-order.ts'
import { isEmptyRange } from '../../kernel/key-range.ts'
import { kindOf } from '../../kernel/kind-of.ts'
import { checkOptionNames } from '../../kernel/option-names.ts'
import { RANGE_DELETE } from '../../memtable/entry-operation.ts'
import type { OrderedOperation, RangeDeletion } from '../../memtable/entry-operation.ts'
import { RANGE_OPTIONS, toKeyRange } from './key-bounds.ts'
import type { KvOperation, KvRange, KvRangeDeletion, WriteOptions } from './kv.ts'
import { checkKey, checkValue, KV_LIMITS, tooLong } from './limits.ts'

const EMPTY = new Uint8Array(0)
const WRITE_OPTIONS: Readonly<Record<keyof WriteOptions, true>> = { durability: true }
// As an operation of a batch it has a type, and such an operation is a range, too; it is nothing that a caller of
// `deleteRange` should be told to give, so that no list of names has it.
const DELETION_OPTIONS = Object.defineProperty({ ...RANGE_OPTIONS, type: true as const }, 'type', {
  enumerable: false,
}) satisfies Readonly<Record<keyof KvRangeDeletion, true>>

/** @throws {TypeError} {VarveError} LIMIT_EXCEEDED */
export function toOperations(operations: readonly KvOperation[], order: KeyOrder): OrderedOperation[] {
  if (!Array.isArray(operations)) throw new TypeError(`operations must be an array, got ${kindOf(operations)}`)
  if (operations.length > KV_LIMITS.operationsMax) throw tooLong('batch', operations.length, KV_LIMITS.operationsMax)
  let bytes = 0
  const accepted: OrderedOperation[] = []
  for (const operation of operations as readonly KvOperation[]) {
    if (typeof operation !== 'object' || operation === null)
      throw new TypeError(`an operation must be an object, got ${kindOf(operation)}`)
    const { type } = operation
    if (type === 'deleteRange') {
      const deletion = toRangeDeletion(operation, order)
      if (deletion === undefined) continue
      bytes += deletion.lower.key.length + deletion.upper.key.length
      accepted.push(deletion)
      continue
    }
    if (type !== 'put' && type !== 'delete')
      throw new TypeError(`type must be 'put', 'delete' or 'deleteRange', got ${String(type)}`)
    const { key } = operation
    checkKey(key)
    checkNoRung(operation)
    bytes += key.length
    if (type === 'delete') {
      accepted.push({ key, value: EMPTY, kind: ENTRY_DELETE })
      continue
    }
    const { value } = operation
    checkValue(value)
    bytes += value.length
    accepted.push({ key, value, kind: ENTRY_PUT })
  }
  if (bytes > KV_LIMITS.batchBytesMax) throw tooLong('batch', bytes, KV_LIMITS.batchBytesMax)
  return accepted
}

/**
 * Other names are not looked for, which would cost a twentieth of a batch: where `type`, `key` or `value` is misspelt, it is
 * missing. This one would be ignored, and with it what was asked for.
 *
 * @throws {TypeError}
 */
function checkNoRung(operation: KvOperation & { readonly durability?: unknown; readonly sync?: unknown }): void {
  if (operation.durability === undefined && operation.sync === undefined) return
  const name = operation.durability === undefined ? 'sync' : 'durability'
  throw new TypeError(`${name} is not of one operation, but of all: batch(operations, { durability })`)
}

/**
 * undefined for a range that can have no key.
 *
 * @throws {TypeError} bad bounds, or none of those that are named has a value: who writes `{ prefix }` means a part, and
 *   where it is undefined everything would go
 * @throws {VarveError} LIMIT_EXCEEDED
 */
export function toRangeDeletion(input: KvRange, order: KeyOrder): RangeDeletion | undefined {
  const given: unknown = input
  if (typeof given !== 'object' || given === null) throw new TypeError(`range must be an object, got ${kindOf(given)}`)
  const range = toKeyRange(input, order, DELETION_OPTIONS)
  if (range.lower === undefined && range.upper === undefined && input.prefix === undefined) checkNothingNamed(input)
  for (const bound of [range.lower, range.upper]) if (bound !== undefined) checkKey(bound)
  if (isEmptyRange(range, order)) return undefined
  return { kind: RANGE_DELETE, lower: lowerCut(range), upper: upperCut(range) }
}

function checkNothingNamed(range: KvRange): void {
  // What is no plain object keeps elsewhere what it means: a scan, or a range of somebody's own.
  const parent: unknown = Object.getPrototypeOf(range)
  if (parent !== null && Object.getPrototypeOf(parent) !== null)
    throw new TypeError('range must be a plain object: of one that names no bound, all would be deleted')
  for (const name in range)
    if (name !== 'type')
      throw new TypeError(`${name} is undefined, and no other bound is given: a range without any name deletes all`)
}

/** @throws {TypeError} it is no rung, or under another name */
export function durabilityOf(options: WriteOptions | undefined): Durability {
  if (options !== undefined) checkOptionNames(options, WRITE_OPTIONS)
  const durability = options?.durability === undefined ? 'written' : options.durability
  if (durability !== 'written' && durability !== 'synced') {
    throw new TypeError(`durability must be 'written' or 'synced', got ${String(durability)}`)
  }
  return durability
}
