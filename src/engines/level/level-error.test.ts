import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ERROR_KINDS, VarveError } from '../../kernel/errors.ts'
import type { ErrorCode } from '../../kernel/errors.ts'
import { LevelError, toLevelError, toOpenError } from './level-error.ts'

/** What docs/level.md says has no counterpart. */
const OWN: readonly ErrorCode[] = [
  'BUSY',
  'WOULD_BLOCK',
  'HEAD_CONFLICT',
  'JOB_FAILED',
  'LIMIT_EXCEEDED',
  'NOT_FOUND',
  'EXISTS',
  'INCOMPATIBLE',
  'WRONG_KEY',
  'JOB_REJECTED',
]

test('every error has a code of abstract-level and itself as the cause, but those that have no counterpart', () => {
  for (const code of Object.keys(ERROR_KINDS) as ErrorCode[]) {
    const error = new VarveError(code, `something about ${code}`)
    const shown = toLevelError(error)
    if (OWN.includes(code)) {
      assert.equal(shown, error, `${code} has no counterpart and stays what it is`)
      continue
    }
    assert.ok(shown instanceof LevelError, `${code} is translated`)
    assert.match(shown.code, /^LEVEL_/)
    assert.equal(shown.cause, error)
    assert.equal(shown.message, error.message)
  }
})

test('codes mean what abstract-level says they mean', () => {
  const codeOf = (code: ErrorCode, details = {}): unknown =>
    (toLevelError(new VarveError(code, '', { details })) as LevelError).code
  assert.equal(codeOf('LOCKED'), 'LEVEL_LOCKED')
  assert.equal(codeOf('FENCED'), 'LEVEL_LOCKED')
  assert.equal(codeOf('TABLE_CORRUPT'), 'LEVEL_CORRUPTION')
  assert.equal(codeOf('FILE_MISSING'), 'LEVEL_CORRUPTION')
  assert.equal(codeOf('NO_SPACE'), 'LEVEL_IO_ERROR')
  assert.equal(codeOf('POISONED'), 'LEVEL_IO_ERROR')
  assert.equal(codeOf('READ_ONLY'), 'LEVEL_READONLY')
  assert.equal(codeOf('CLOSED'), 'LEVEL_DATABASE_NOT_OPEN')
  assert.equal(codeOf('LIMIT_EXCEEDED', { what: 'key' }), 'LEVEL_INVALID_KEY')
  assert.equal(codeOf('LIMIT_EXCEEDED', { what: 'value' }), 'LEVEL_INVALID_VALUE')
})

test('an aborted call has the name that the web gives it', () => {
  const error = toLevelError(new VarveError('ABORTED', 'stop'))
  assert.equal(error.name, 'AbortError')
  assert.equal((error as LevelError).code, 'LEVEL_ABORTED')
})

test('what is not an error of varve is left alone', () => {
  const error = new TypeError('wrong argument')
  assert.equal(toLevelError(error), error)
  assert.equal(toOpenError(error, 'db'), error)
})

test('a database that is missing, or there against expectation, is named by its location', () => {
  assert.match(
    toOpenError(new VarveError('NOT_FOUND', 'no shard'), 'some/place').message,
    /^some\/place does not exist/,
  )
  assert.match(toOpenError(new VarveError('EXISTS', 'a shard'), 'some/place').message, /^some\/place already exists/)
})
