import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Decoder, Encoder } from '../../kernel/codec.ts'
import { ENTRY_DELETE, ENTRY_PUT } from '../../kernel/entry.ts'
import { AFTER_ALL, BEFORE_ALL, cutAfter, cutBefore } from '../../kernel/key-cut.ts'
import { RANGE_DELETE } from '../../memtable/entry-operation.ts'
import type { OrderedOperation } from '../../memtable/entry-operation.ts'
import { decodeOperation, encodeOperation } from './operation-codec.ts'

const key = Uint8Array.of(1, 2, 3)
const value = Uint8Array.of(9)

function fail(reason: string): never {
  throw new Error(reason)
}

test('operations come back as they were written, one after the other', () => {
  const operations: readonly OrderedOperation[] = [
    { kind: ENTRY_PUT, key, value },
    { kind: RANGE_DELETE, lower: cutBefore(key), upper: cutAfter(value) },
    { kind: ENTRY_DELETE, key, value: new Uint8Array(0) },
    { kind: RANGE_DELETE, lower: BEFORE_ALL, upper: AFTER_ALL },
    { kind: ENTRY_PUT, key: new Uint8Array(0), value: new Uint8Array(0) },
  ]
  const encoder = new Encoder()
  for (const operation of operations) encodeOperation(operation, encoder)
  const decoder = new Decoder(encoder.finish(), fail)
  assert.deepEqual(
    operations.map(() => decodeOperation(decoder)),
    operations,
  )
  decoder.end()
})

test('a range deletion is kind 3 and two cuts, as docs/formats/head.md says', () => {
  const encoder = new Encoder()
  encodeOperation({ kind: RANGE_DELETE, lower: cutBefore(key), upper: AFTER_ALL }, encoder)
  assert.deepEqual([...encoder.finish()], [3, 1, 3, 1, 2, 3, 4])
})

test('an operation of an unknown kind is refused', () => {
  for (const kind of [0, 4, 255]) {
    assert.throws(() => decodeOperation(new Decoder(Uint8Array.of(kind, 0, 0), fail)), /unknown operation/)
  }
})
