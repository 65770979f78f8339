/**
 * Operations of the key-value engine in the journal.
 *
 *      put      kind u8 = 1, key, value      byte strings with their lengths as varints
 *      delete   kind u8 = 2, key
 *      range    kind u8 = 3, lower cut, upper cut    deletes what is between them
 *
 * Spec: docs/formats/head.md.
 */

import type { Decoder, Encoder } from '../../kernel/codec.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import { decodeCut, encodeCut } from '../../kernel/key-cut.ts'
import { RANGE_DELETE } from '../../memtable/entry-operation.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'

const EMPTY = new Uint8Array(0)

export function encodeOperation(operation: OrderedOperation, into: Encoder): void {
  into.u8(operation.kind)
  if (operation.kind === RANGE_DELETE) {
    encodeCut(into, operation.lower)
    encodeCut(into, operation.upper)
    return
  }
  into.bytes(operation.key)
  if (operation.kind === ENTRY_PUT) into.bytes(operation.value)
}

export function decodeOperation(from: Decoder): OrderedOperation {
  const kind = from.u8()
  if (kind === ENTRY_PUT) return { kind, key: from.bytes(), value: from.bytes() }
  if (kind === ENTRY_DELETE) return { kind, key: from.bytes(), value: EMPTY }
  if (kind === RANGE_DELETE) return { kind, lower: decodeCut(from), upper: decodeCut(from) }
  return from.fail(`unknown operation ${kind}`)
}
