import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VarveError } from '../kernel/errors.ts'
import { describeFailure } from './failure.ts'

test('who meets a server of another version is not sent looking for the version that wrote the shard', () => {
  const [, advice] = describeFailure(new VarveError('INCOMPATIBLE', 'other versions', { details: { what: 'rpc' } }))
  assert.match(advice ?? '', /same version of varve at both ends/)
  const [, other] = describeFailure(new VarveError('INCOMPATIBLE', 'other order', { details: { what: 'comparator' } }))
  assert.match(other ?? '', /that wrote the shard/)
})

test('who opens a directory whose journal is elsewhere is not sent looking for another version', () => {
  const adviceOf = (found: string): string => {
    const details = { what: 'journal', found, expected: 'local version 1' }
    return describeFailure(new VarveError('INCOMPATIBLE', 'another journal', { details }))[1] ?? ''
  }
  assert.match(adviceOf('shared version 1'), /journal is not in this directory/)
  assert.match(adviceOf('local version 2'), /version of varve/)
})

test('who gives keys for what is not encrypted is not told that keys are lacking', () => {
  const details = { what: 'encryption', found: 'none', expected: 'AES-256-GCM' }
  const [, advice] = describeFailure(new VarveError('INCOMPATIBLE', 'not encrypted', { details }))
  assert.match(advice ?? '', /Leave the keys out/)
})

test('who has lost a file hears of repair, and who has something else in its place what to do with that', () => {
  const adviceOf = (error: VarveError): string => describeFailure(error)[1] ?? ''
  assert.match(adviceOf(new VarveError('FILE_MISSING', 'gone')), /varve repair/)
  assert.match(adviceOf(new VarveError('EXISTS', 'files', { details: { found: 'a pipe' } })), /put back the directory/)
})
