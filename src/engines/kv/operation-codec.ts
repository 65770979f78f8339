/**
 * Operations of the key-value engine in the journal.
 *
 *      put      kind u8 = 1, key, value      byte strings with their lengths as varints
 *      delete   kind u8 = 2, key
 *
 * Spec: docs/formats/head.md.
 */

import type { Decoder, Encoder } from '../../kernel/codec.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import type { EntryOperation } from '../../memtable/entry-operation.ts'

const EMPTY = new Uint8Array(0)

export function encodeOperation(operation: EntryOperation, into: Encoder): void {
  into.u8(operation.kind).bytes(operation.key)
  if (operation.kind === ENTRY_PUT) into.bytes(operation.value)
}

export function decodeOperation(from: Decoder): EntryOperation {
  const kind = from.u8()
  if (kind === ENTRY_PUT) return { kind, key: from.bytes(), value: from.bytes() }
  if (kind === ENTRY_DELETE) return { kind, key: from.bytes(), value: EMPTY }
  return from.fail(`unknown operation ${kind}`)
}
