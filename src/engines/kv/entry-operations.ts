/** From the operations of a batch, as callers give them, to what memtable and journal take. */

import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import type { EntryOperation } from '../../memtable/entry-operation.ts'
import type { KvOperation } from './kv.ts'
import { checkKey, checkValue, KV_LIMITS, tooLong, typeOf } from './limits.ts'

const EMPTY = new Uint8Array(0)

/** @throws {TypeError} {VarveError} LIMIT_EXCEEDED */
export function toEntryOperations(operations: readonly KvOperation[]): EntryOperation[] {
  if (!Array.isArray(operations)) throw new TypeError(`operations must be an array, got ${typeOf(operations)}`)
  if (operations.length > KV_LIMITS.operationsMax) throw tooLong('batch', operations.length, KV_LIMITS.operationsMax)
  let bytes = 0
  const entries = (operations as readonly KvOperation[]).map((operation): EntryOperation => {
    checkKey(operation.key)
    bytes += operation.key.length
    if (operation.type === 'delete') return { key: operation.key, value: EMPTY, kind: ENTRY_DELETE }
    if (operation.type !== 'put')
      throw new TypeError(`type must be 'put' or 'delete', got ${String((operation as { type: unknown }).type)}`)
    checkValue(operation.value)
    bytes += operation.value.length
    return { key: operation.key, value: operation.value, kind: ENTRY_PUT }
  })
  if (bytes > KV_LIMITS.batchBytesMax) throw tooLong('batch', bytes, KV_LIMITS.batchBytesMax)
  return entries
}
