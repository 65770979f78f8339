import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isCode } from '../kernel/errors.ts'
import { deviceError } from './device-error.ts'

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code })
}

test('the system’s errors have their codes, and name path and operation', () => {
  for (const [errno, code] of [
    ['ENOENT', 'NOT_FOUND'],
    ['ENOTDIR', 'NOT_FOUND'],
    ['EEXIST', 'EXISTS'],
    ['ENOSPC', 'NO_SPACE'],
    ['EDQUOT', 'NO_SPACE'],
    ['EMFILE', 'OUT_OF_FILES'],
    ['ENFILE', 'OUT_OF_FILES'],
    ['EACCES', 'PERMISSION_DENIED'],
    ['EPERM', 'PERMISSION_DENIED'],
    ['ELOOP', 'PERMISSION_DENIED'],
    ['EROFS', 'READ_ONLY'],
    ['EIO', 'IO_FAILED'],
    ['EWHATEVER', 'IO_FAILED'],
  ] as const) {
    const cause = systemError(errno)
    const error = deviceError(cause, 'open', 'a/b')
    assert.ok(isCode(error, code), `${errno} is ${code}`)
    assert.deepEqual(error.details, { path: 'a/b', operation: 'open', errno })
    assert.equal(error.cause, cause)
  }
  for (const wrong of [new RangeError('position'), new TypeError('buffer')])
    assert.equal(deviceError(wrong, 'read', 'a'), wrong, 'a wrong argument is no failure of the device')
})

test('a read-only file system is called so, with the way to read what is on it', () => {
  const error = deviceError(systemError('EROFS'), 'open', 'data/lock')
  assert.match(error.message, /^open of data\/lock failed: the file system is read-only \(EROFS\).* readOnly: true$/)
})

test('limits of the process are told as such, with what shows them', () => {
  for (const [errno, code, message] of [
    ['EFBIG', 'IO_FAILED', /longer files \(EFBIG\): raise its limit, which ulimit -f shows/],
    ['EMFILE', 'OUT_OF_FILES', /more files open \(EMFILE\): raise its limit, which ulimit -n shows/],
  ] as const) {
    const error = deviceError(systemError(errno), 'write', 'place')
    assert.ok(isCode(error, code))
    assert.match(error.message, message)
  }
})
