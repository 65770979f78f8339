import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodeError, encodeError } from './error-wire.ts'
import { VarveError } from './errors.ts'

test('a VarveError comes back with code, kind, message, details, stack and causes', () => {
  const device = Object.assign(new Error('no such file'), { code: 'ENOENT' })
  const store = new VarveError('FILE_MISSING', 'file a is gone', { details: { file: 'a', offset: 7 }, cause: device })
  const job = new VarveError('JOB_FAILED', 'job 1 failed', {
    details: { job: '1', causeCode: 'FILE_MISSING' },
    cause: store,
  })
  const back = decodeError(JSON.parse(JSON.stringify(encodeError(job))))
  assert.ok(back instanceof VarveError)
  assert.equal(back.code, 'JOB_FAILED')
  assert.equal(back.kind, 'retry')
  assert.equal(back.message, 'job 1 failed')
  assert.deepEqual(back.details, { job: '1', causeCode: 'FILE_MISSING' })
  assert.equal(back.stack, job.stack)
  const cause = back.cause
  assert.ok(cause instanceof VarveError)
  assert.equal(cause.code, 'FILE_MISSING')
  assert.deepEqual(cause.details, { file: 'a', offset: 7 })
  assert.ok(cause.cause instanceof Error)
  assert.equal((cause.cause as NodeJS.ErrnoException).code, 'ENOENT')
})

test('an error of another class keeps name and message', () => {
  const back = decodeError(encodeError(new RangeError('too far')))
  assert.equal(back.name, 'RangeError')
  assert.equal(back.message, 'too far')
  assert.ok(!(back instanceof VarveError))
})

test('a code of a newer version is kept in the message', () => {
  const back = decodeError({ name: 'VarveError', code: 'QUORUM_LOST', message: 'two of five' })
  assert.ok(!(back instanceof VarveError))
  assert.equal(back.message, 'QUORUM_LOST: two of five')
})

test('a cycle of causes ends, and long texts are cut', () => {
  const error = new Error('x'.repeat(1_000_000))
  error.cause = error
  const text = JSON.stringify(encodeError(error))
  assert.ok(text.length < 80_000, `wire has ${text.length} characters`)
  assert.doesNotThrow(() => decodeError(JSON.parse(text)))
})

test('whatever is thrown can be encoded as JSON, and whatever arrives decodes to an error', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withNullPrototype: true, withObjectString: true }), (value) => {
      const wire = encodeError(new VarveError('IO_FAILED', 'read failed', { details: { value }, cause: value }))
      assert.ok(decodeError(JSON.parse(JSON.stringify(wire))) instanceof VarveError)
      assert.ok(decodeError(value) instanceof Error)
      assert.ok(
        decodeError({ code: value, message: value, details: value, stack: value, cause: value, name: value }) instanceof
          Error,
      )
      assert.ok(decodeError(encodeError(value)) instanceof Error)
    }),
  )
})
