import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../../kernel/errors.ts'
import { Chain } from './chain.ts'
import type { LogRecord } from './record.ts'

const [A, B] = ['a'.repeat(16), 'b'.repeat(16)]

function record(kind: LogRecord['kind'], owner: string, serial: number, position: number): LogRecord {
  const epoch = owner === A ? 1 : 2
  const payload = new Uint8Array(kind === 'batch' ? 10 : 0)
  return { kind, epoch, owner, serial, confirmed: 0, position, batchBytes: payload.length, offset: 0, payload }
}

test('of an owner that was fenced nothing counts any more, also where its numbers would fit', () => {
  const chain = new Chain('stream', 0)
  const counts = [
    record('fence', A, 0, 0),
    record('fence', B, 0, 0),
    // The number that the next record of B has, at the place where it goes.
    record('batch', A, 1, 0),
    record('batch', B, 1, 0),
    // Sent twice.
    record('batch', B, 1, 0),
    record('batch', B, 2, 10),
  ].map((each, index) => chain.accept(each, index + 1))
  assert.deepEqual(counts, [true, true, false, true, false, true])
  assert.equal(chain.end, 20)
})

test('records of an owner whose fence was not read are no end of the log', () => {
  const chain = new Chain('stream', 0)
  chain.accept(record('fence', A, 0, 0), 1)
  // In the place of the fence.
  chain.accept(record('batch', A, 1, 0), 2)
  assert.throws(
    () => chain.accept(record('batch', B, 1, 0), 3),
    (error) => isCode(error, 'JOURNAL_CORRUPT') && /the fence of epoch 2 is missing/.test(error.message),
  )
})
